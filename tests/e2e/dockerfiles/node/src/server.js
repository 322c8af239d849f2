require("./routes/home");
