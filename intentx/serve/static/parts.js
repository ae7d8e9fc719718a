// What the views of answers are made of: verdicts, bars, coloured texts, matrices, lists.
import { bdi, known, make, marked, note, percent, real, seconds, several, signed, unitsOf, whole } from "./dom.js";

const LONGEST = 100000; // characters of a text that are shown
const STEPS = 9; // shades of a colour behind a word
export const MOST = 20; // rows that are visible at once
const LEVELS = { holds: "Holds", weak: "Weak", chance: "May be chance" };

/** How far to believe it, first of all. */
export function verdict(answer) {
  const parts = (answer.cautions || []).map((text) => make("p", { class: "caution", dir: "auto" }, make("b", null, "Caution: "), text));
  const told = answer.verdict;
  if (told?.sentence) {
    const level = LEVELS[told.level] || "";
    const rest = level && told.sentence.startsWith(`${level}: `) ? told.sentence.slice(level.length + 2) : told.sentence;
    parts.push(make("p", { class: `verdict ${told.level || ""}` }, level ? make("b", { class: "badge" }, level) : null, make("span", { dir: "auto" }, rest)));
  } else if (answer.unjudged) parts.push(make("p", { class: "verdict" }, make("b", { class: "badge" }, "Not judged"), make("span", { dir: "auto" }, answer.unjudged)));
  return parts;
}

/** A table; each row a list of cells, numbers to the right. A row's `row` has attributes of its element. */
export function table(head, rows, more = {}) {
  const cells = (row) => row.map((cell, i) => {
    const element = cell instanceof HTMLTableCellElement ? cell : make(i ? "td" : "th", i ? { class: typeof cell === "string" && /^[–+−]?[\d.,]*( %)?$/.test(cell) ? "n" : null } : { scope: "row" }, cell);
    return element;
  });
  return make("div", { class: "scroll", tabindex: more.wide ? 0 : null, role: more.wide ? "region" : null, "aria-label": more.wide ? more.label : null },
    make("table", { class: more.class || null, "aria-label": more.label || null },
      head ? make("thead", null, make("tr", null, head.map((text) => make("th", { scope: "col" }, text)))) : null,
      make("tbody", null, rows.map((row) => make("tr", row.row || null, cells(row))))));
}

/** A bar from the middle (or the edge, where no value is below 0). */
export function bar(value, least, most) {
  if (!known(value)) return make("span", { class: "track" });
  const low = Math.min(0, least);
  const span = Math.max(0, most) - low || 1;
  const [from, to] = [Math.min(0, value), Math.max(0, value)].map((one) => (100 * (one - low)) / span);
  return make("span", { class: "track", "aria-hidden": "true" }, make("i", { class: value < 0 ? "minus" : "plus", "--from": `${from}%`, "--width": `${Math.max(0.5, to - from)}%` }));
}

/** Names with signed weights as bars; the first ones, and the others to be unfolded. */
export function bars(items, more = {}) {
  const weights = items.map((item) => item.weight).filter(known);
  const [least, most] = [Math.min(0, ...weights), Math.max(0, ...weights)];
  const largest = Math.max(most, -least);
  const row = (item) => Object.assign([
    item.head || bdi(item.name),
    make("td", { class: "bar" }, bar(item.weight, least, most)),
    make("td", { class: "n" }, more.unsigned ? real(item.weight, largest) : signed(item.weight, largest)),
    ...(item.cells || []),
  ], { row: item.row });
  const head = more.head ? [more.head, "", more.weight || "weight", ...(more.cells || [])] : null;
  const first = more.most || MOST;
  const parts = [table(head, items.slice(0, first).map(row), { class: "bars", label: more.label })];
  if (items.length > first) {
    parts.push(make("details", null, make("summary", null, `${several(items.length - first, "more", "more")}`),
      table(head, items.slice(first, 2000).map(row), { class: "bars", label: `${more.label}, continued` })));
  }
  return parts;
}

/** The classes of a word's colour: by the sign of its weight, and its size among others. */
export function toneOf(weight, largest) {
  const shade = largest && weight ? Math.max(1, Math.round((STEPS * Math.abs(weight)) / largest)) : 0;
  return shade ? `${weight > 0 ? "for" : "against"} a${shade}` : "none";
}

/** A text with words on the colour of their weight; `words` as in docs/json.md: term, start, end, weight. */
export function coloured(text, words, point) {
  if (!text.trim()) return make("p", { class: "text" }, make("em", null, "(empty)"));
  const unit = unitsOf(text);
  const largest = Math.max(0, ...words.map((word) => Math.abs(word.weight) || 0));
  const marks = words.map((word) => ({
    start: unit(word.start),
    end: unit(word.end),
    make: (part) => make("mark", { class: toneOf(word.weight, largest), "data-word": word.term, "data-told": `${word.term} ${signed(word.weight, largest)}`, title: `${word.term} ${signed(word.weight, largest)}` }, part),
  })).sort((one, other) => one.start - other.start);
  const element = make("p", { class: "text", dir: "auto" }, ...marked(text, marks, 0, Math.min(text.length, LONGEST)));
  if (text.length > LONGEST) element.append(make("em", null, ` … ${several(text.length - LONGEST, "more character")} not shown`));
  if (point) {
    const over = (event) => point(event.target.closest?.("mark")?.dataset.word ?? null);
    element.addEventListener("pointerover", over);
    element.addEventListener("pointerleave", () => point(null));
  }
  return element;
}

/** What the colours of `coloured` say. */
export function legend(largest, sides = { against: "against", for: "for" }) {
  const shades = (kind) => [3, 6, 9].map((shade) => make("i", { class: `swatch ${kind} a${shade}` }));
  return make("p", { class: "legend" },
    sides.against ? make("span", null, shades("against").reverse(), ` ${sides.against} (${signed(-largest, largest)})`) : null,
    sides.for ? make("span", null, shades("for"), ` ${sides.for} (${sides.against ? signed(largest, largest) : real(largest)})`) : null);
}

/** The largest absolute number of a grid; a call with thousands of arguments would fail. */
export const largestOf = (values) => values.flat().filter(known).reduce((most, one) => Math.max(most, Math.abs(one)), 0);

/** Numbers in a grid, with names for rows and columns; `scale`: what has the strongest colour. */
export function matrix(title, values, rows, columns, scale = 0) {
  const largest = scale || largestOf(values) || 1;
  const cell = (value) => {
    const shade = known(value) ? Math.round((STEPS * Math.abs(value)) / largest) : 0;
    return make("td", { class: shade ? `${value > 0 ? "for" : "against"} a${shade}` : null, title: signed(value, largest) }, make("span", { class: "unseen" }, signed(value, largest)));
  };
  const shown = values.slice(0, 60);
  return make("figure", null, make("figcaption", null, title),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, make("table", { class: "map" },
      make("thead", null, make("tr", null, make("td", null), (columns || values[0].map((_, i) => i + 1)).slice(0, 400).map((name) => make("th", { scope: "col" }, make("span", null, bdi(name)))))),
      make("tbody", null, shown.map((row, i) => make("tr", null, make("th", { scope: "row" }, bdi(rows?.[i] ?? i + 1)), row.slice(0, 400).map(cell)))))),
    values.length > shown.length ? note(`${several(values.length - shown.length, "more row")} on the page to download`) : null);
}

/** Words or names, each in a box. */
export const chips = (items, more) => make("p", { class: "chips", ...more }, items.map((item) => make("bdi", { class: "chip" }, item)));

/** Names with values; undefined ones are left out. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return shown.length ? make("dl", null, shown.map(([name, value]) => [make("dt", null, name), make("dd", { dir: "auto" }, value)])) : null;
}

export const value = (one) => (known(one) ? (Number.isInteger(one) ? whole(one) : real(one)) : typeof one === "string" ? one : one === null ? "–" : JSON.stringify(one));

/** Something to unfold, made when it is; of a group, one at a time. */
export function fold(title, parts, open = false, group = null) {
  const details = make("details", { open, name: group }, make("summary", null, title));
  const fill = () => {
    if (details.open && details.childElementCount === 1) details.append(...[parts()].flat(Infinity).filter((part) => part));
  };
  details.addEventListener("toggle", fill);
  fill();
  return details;
}

/** Method, cost, settings and notes. */
export function made(answer) {
  const spent = answer.seconds || {};
  return fold("How it was made", () => [
    facts([["method", answer.method], ["status", answer.status], ["coverage", answer.coverage === undefined ? undefined : percent(answer.coverage)],
      ["model calls", answer.model_calls === undefined ? undefined : several(answer.model_calls, "text")],
      ["time", known(spent.total) ? `${seconds(spent.total)}${known(spent.model) ? `, of which the ranker ${seconds(spent.model)}` : ""}` : undefined],
      ...(answer.notes || []).map((text) => ["note", text])]),
    answer.settings ? table(["setting", "value"], Object.entries(answer.settings).map(([name, one]) => [name, make("td", { dir: "auto" }, value(one))]), { label: "Settings" }) : null,
  ]);
}

/** The text of a document of the answer. */
export function textOf(answer, id) {
  const at = (answer.ranking?.doc_ids || []).indexOf(id);
  return at < 0 ? "" : answer.ranking.texts?.[at] || "";
}
