require("./home");
