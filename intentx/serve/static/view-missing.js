// Where a document was lost, in plain words: "not found", "found at 212, cut at 100".
import { bdi, known, make, note, real, several, whole } from "./dom.js";
import { chips, facts, fold, made } from "./parts.js";

export function missingView(answer) {
  return [
    make("p", { class: "verdict" }, make("b", { class: "badge" }, headline(answer)), make("span", null, explained(answer))),
    make("ol", { class: "stages" }, answer.stages.map((stage) => make("li", { class: passes(stage) ? "passes" : stage.reached ? "lost" : null },
      make("b", null, stage.name), " ", make("span", null, stageWords(stage)),
      known(stage.score) && known(stage.last_score) ? make("small", null, `score ${real(stage.score)}; the last that goes on has ${real(stage.last_score)}`) : null))),
    answer.lacks?.length ? [make("h3", null, "Words of the query that it lacks"), make("ul", null, answer.lacks.map((one) => make("li", null, bdi(one.word), one.documents === null ? null : make("small", null, ` in ${several(one.documents, "document")} of the collection`))))] : note("It has all words of the query."),
    ...[["So that the first stage lets it through", answer.for_first], ["So that it is among the first " + whole(answer.k), answer.change]].filter(([, found]) => found).map(([goal, found]) => [make("h3", null, goal),
      found.words.length ? [note("These words of the query in front of it suffice:"), chips(found.words), known(found.rank) ? note(`It would be at rank ${whole(found.rank)}.`) : null] : note("No words of the query that were tried in front of it suffice.")]),
    answer.unread ? [make("h3", null, "What is not read"), note(`The ${answer.lost_at} does not read it from character ${whole(answer.unread.start)} on.${known(answer.unread.best_rank) ? ` The best passage there alone would be at rank ${whole(answer.unread.best_rank)}.` : ""}`)] : null,
    answer.document ? fold("Its text", () => make("p", { class: "text", dir: "auto" }, answer.document)) : null,
    (answer.notes || []).map((text) => note(text)),
    facts([["texts that the stages were asked to score", known(answer.model_calls) ? whole(answer.model_calls) : undefined]]),
    answer.settings ? made(answer) : null,
  ];
}

const passes = (stage) => stage.reached && stage.rank !== null && stage.rank <= stage.limit;

/** What the page of issue 21 asks for: so plain that it cannot be misread. */
function headline(answer) {
  if (answer.stage === "found") return `Found at ${whole(answer.rank)}`;
  const lost = answer.stages.find((one) => one.name === answer.lost_at);
  if (!lost || lost.rank === null) return "Not found";
  return `Found at ${whole(lost.rank)}, cut at ${whole(lost.limit)}`;
}

function explained(answer) {
  if (answer.stage === "found") return `It is among the first ${whole(answer.k)}.`;
  const lost = answer.stages.find((one) => one.name === answer.lost_at);
  if (!lost) return "";
  if (lost.rank === null) return `The ${lost.name} finds no word of the query in it.`;
  const length = answer.stage === "length" ? ", by its length: what would bring it in is not read" : "";
  return `It was lost at the ${lost.name}${length}: rank ${whole(lost.rank)} of ${whole(lost.documents)}, and the first ${whole(lost.limit)} go on.`;
}

function stageWords(stage) {
  if (stage.rank === null) return "not found";
  const place = `${stage.reached ? "rank" : "it would be at rank"} ${whole(stage.rank)} of ${whole(stage.documents)}`;
  if (stage.rank > stage.limit) return `${place}, cut at ${whole(stage.limit)}`;
  return `${place}, ${stage.reached ? "goes on" : `within the first ${whole(stage.limit)}`}`;
}
