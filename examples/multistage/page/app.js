import {greeting} from "./greeting.js";

document.getElementById("greeting").textContent = greeting("panes of a window");
