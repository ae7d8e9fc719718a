// The keyboard, and the help that tells about it.
import { byId, make } from "./dom.js";
import { sheetOf } from "./kept.js";

const KEYS = [
  ["/", "to the query"], ["↑ ↓", "from result to result; Home and End, too"], ["← →", "to the other ranker"], ["Enter", "the whole text"],
  ["e", "explain the result"], ["p", "pick it, then another one: why is one above the other?"], ["x", "edit its text and see where it goes"],
  ["i", "explain intent; of two rankers, the contrast"], ["q", "edit the query and see where the documents go"], ["m", "where is my document?"],
  ["h", "history"], ["?", "this help"], ["Escape", "close what is open"],
];

export const keysOn = () => localStorage.getItem("keys") !== "off";

export function help() {
  const box = make("input", { type: "checkbox", checked: keysOn(), change: () => localStorage.setItem("keys", box.checked ? "on" : "off") });
  const body = sheetOf("Help",
    make("p", null, "Search, then ask why: which terms explain the ranker’s order, which words put a result where it is, why it is above another one, and what would change that."),
    make("dl", { class: "keys" }, KEYS.map(([key, what]) => [make("dt", null, make("kbd", null, key)), make("dd", null, what)])),
    make("p", null, "With a mouse or a finger: drag the head of one result on another one to ask why one is above the other. Point at a term to see it in the results."),
    make("p", null, make("label", null, box, " Shortcuts of one key")));
  body.parentElement.querySelector("h2").focus();
}

/** `act` has a function for each key; `cards` is where the arrows begin. */
export function keyboard(act) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || byId("sheet").open) return;
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      if (act.escape()) event.preventDefault();
      return;
    }
    if (typing || !keysOn()) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "ArrowDown" && (event.target === document.body || event.target.matches?.("h2"))) act.first();
    else if (act[key]) act[key]();
    else return;
    event.preventDefault();
  });
}
