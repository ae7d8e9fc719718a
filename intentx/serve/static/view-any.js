// Any answer by what it holds: words in a text, features, matrices, sets; an unknown kind by its page.
import { bdi, known, make, note, real } from "./dom.js";
import { bars, chips, coloured, facts, fold, legend, made, matrix, textOf, value, verdict } from "./parts.js";

const INSIDE = new Set(["ranking", "term_scores", "pairs", "scale", "analyzer", "intent_analyzer", "settings", "seconds", "fidelity", "verdict", "cautions", "notes",
  "terms", "weights", "words", "features", "metrics", "measures", "words_of", "format", "method", "query", "doc_id", "above", "document", "model_calls", "status", "tree", "sentence", "effects"]);
const numbers = (one) => Array.isArray(one) && one.length > 0 && one.every((item) => item === null || known(item));
const grid = (one) => Array.isArray(one) && one.length > 0 && one.every((row) => numbers(row) && row.length === one[0].length) && one[0].length > 0;
const strings = (one) => Array.isArray(one) && one.length > 0 && one.every((item) => typeof item === "string");
const words = (name) => name.replaceAll("_", " ");

/** Whether there is anything in it that can be shown. */
export const showable = (answer) => Boolean(answer && typeof answer === "object" && (answer.terms || answer.features || answer.words || Object.entries(answer).some(([name, one]) => !INSIDE.has(name) && (grid(one) || strings(one)))));

export function anyView(answer, context) {
  const parts = [...verdict(answer)];
  if (typeof answer.sentence === "string") parts.push(make("p", null, answer.sentence));
  const weights = answer.weights || [];
  const largest = Math.max(0, ...weights.map((weight) => Math.abs(weight) || 0));
  if (Array.isArray(answer.words) && answer.words.every((one) => known(one?.start))) {
    parts.push(legend(largest), coloured(answer.document ?? textOf(answer, answer.doc_id), answer.words, (word) => context.point(word === null ? null : (answer.terms || []).indexOf(word))));
  }
  const names = answer.features || answer.terms;
  if (strings(names)) {
    const cells = answer.effects?.length === names.length ? (i) => [make("td", { class: "n" }, known(answer.effects[i]?.effect) ? real(answer.effects[i].effect) : "")] : () => [];
    parts.push(numbers(weights) && weights.length === names.length
      ? bars(names.map((name, i) => ({ name, weight: weights[i], cells: cells(i) })), { label: answer.features ? "Features and their weights" : "Terms and their weights", head: answer.features ? "feature" : "term" })
      : chips(names));
  }
  for (const [name, one] of Object.entries(answer)) {
    if (INSIDE.has(name)) continue;
    if (grid(one)) parts.push(matrix(words(name), one, labels(answer, one.length), labels(answer, one[0].length, OF_COLUMNS)));
    else if (Array.isArray(one) && one.length && one.every(grid)) parts.push(fold(words(name), () => one.slice(0, 48).map((layer, i) => matrix(`${words(name)} ${i + 1}`, layer, labels(answer, layer.length), labels(answer, layer[0].length, OF_COLUMNS)))));
    else if (strings(one)) parts.push(make("h3", null, words(name)), chips(one));
    else if (Array.isArray(one) && one.length && one.every(strings)) parts.push(make("h3", null, words(name)), ...one.slice(0, 50).map((set) => chips(set)));
  }
  if (typeof answer.tree === "string") parts.push(make("pre", { class: "tree", tabindex: 0 }, answer.tree));
  const simple = Object.entries(answer).filter(([name, one]) => !INSIDE.has(name) && (known(one) || typeof one === "string" || typeof one === "boolean"));
  const metrics = Object.entries(answer.metrics || {});
  parts.push(facts(simple.map(([name, one]) => [words(name), value(one)])));
  if (metrics.length) parts.push(fold("Numbers of the method", () => facts(metrics.map(([name, one]) => [words(name), value(one)]))));
  parts.push(...(answer.notes || []).map((text) => note(text)), made(answer));
  return parts;
}

const OF_ROWS = ["query_terms", "query_tokens", "document_tokens", "tokens", "terms", "features"];
const OF_COLUMNS = ["document_tokens", "tokens", "terms", "features"]; // never the query's, however many there are

/** Names for so many rows or columns, where the answer has them. */
function labels(answer, length, lists = OF_ROWS) {
  for (const name of lists) {
    const names = Array.isArray(answer[name]) ? answer[name].map((one) => one?.text ?? one) : null;
    if (strings(names) && names.length === length) return names;
  }
  if (Array.isArray(answer.words) && answer.words.length === length) return answer.words.map((one) => one.term ?? one);
  return null;
}

/** What is said of an answer of which nothing can be shown here. */
export const pageOnly = (answer, context) => [make("p", { class: "empty" }, "This page does not know answers of the kind ", make("code", null, bdi(answer?.format || "unknown")), ". Its own page shows it."),
  make("p", null, make("button", { type: "button", class: "main", click: context.download }, "Download page")), fold("As JSON", () => make("pre", { tabindex: 0 }, JSON.stringify(answer, null, 1).slice(0, 20000)))];
