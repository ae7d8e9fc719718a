// The smallest change that moves a document: as a diff, with the rank after each step.
import { bdi, draw, known, make, marked, note, percent, several, unitsOf, whole } from "./dom.js";
import { fold, made, table, verdict } from "./parts.js";

/** The text with its changes: what goes struck out, what comes underlined. */
export function diff(text, changes) {
  const unit = unitsOf(text);
  const marks = [];
  for (const one of changes) {
    for (const [start, end] of one.places?.length ? one.places : [[one.start, one.end]]) {
      if (one.kind === "insert" && marks.length === 0 && start === end) marks.push({ start: unit(start), end: unit(end), insert: one.text });
      else marks.push({ start: unit(start), end: unit(end), insert: one.kind === "remove" ? "" : one.text });
      if (one.kind === "insert") break;
    }
  }
  marks.sort((a, b) => a.start - b.start || a.end - b.end);
  const parts = [];
  let done = 0;
  for (const one of marks) {
    if (one.start < done) continue;
    parts.push(...marked(text, [], done, one.start));
    if (one.end > one.start) parts.push(make("del", null, text.slice(one.start, one.end)));
    if (one.insert) {
      const before = text.slice(0, one.start);
      parts.push(before && !/\s$/.test(before) && one.end === one.start ? " " : "", make("ins", null, one.insert), one.end === one.start && /^\S/.test(text.slice(one.end)) ? " " : "");
    }
    done = one.end;
  }
  parts.push(text.slice(done));
  return make("p", { class: "text diff", dir: "auto" }, parts);
}

const said = (one) => (one.kind === "replace" ? [bdi(one.instead_of), " → ", bdi(one.text)] : [one.kind === "remove" ? "− " : "+ ", bdi(one.text)]);

/** The ranks after each change, as a ladder; the goal is a line. */
function ladder(answer) {
  const ranks = [answer.rank_before, ...answer.ranks];
  const names = [["as it is"], ...answer.changes.map(said)];
  const goal = goalRank(answer);
  const all = goal ? [...ranks, goal] : ranks;
  const [best, worst] = [Math.min(...all), Math.max(...all)];
  const y = (rank) => 16 + (worst === best ? 40 : (80 * (Math.log(rank) - Math.log(best))) / (Math.log(worst) - Math.log(best)));
  const x = (i) => (ranks.length === 1 ? 50 : 6 + (88 * i) / (ranks.length - 1));
  return [
    draw("svg", { class: "ladder", viewBox: "0 0 100 112", preserveAspectRatio: "none", "aria-hidden": "true" },
      goal ? draw("path", { class: "goal", d: `M0 ${y(goal)}H100` }) : null,
      draw("path", { class: "steps", d: ranks.map((rank, i) => `${i ? "L" : "M"}${x(i)} ${y(rank)}`).join("") })),
    table(["step", "change", "rank"], ranks.map((rank, i) => [String(i), make("td", null, names[i]), make("td", { class: "n" }, whole(rank))]), { label: "Rank after each change" }),
  ];
}

function goalRank(answer) {
  const { k, rank } = answer.settings || {};
  if (answer.goal === "enter") return k;
  if (answer.goal === "leave") return k + 1;
  return answer.goal === "rank" ? rank : null;
}

export function changeView(answer, context) {
  const what = answer.of === "query" ? "the query" : "the document";
  const found = answer.changes.length > 0;
  const text = answer.of === "query" ? answer.query : textOfChange(answer);
  const status = answer.status === "minimal" ? "No smaller change of those that were offered reaches it." : answer.status === "feasible" ? "A smaller change may exist: not all were tried." : "";
  return [
    ...verdict(answer),
    make("p", { class: "verdict" }, make("b", { class: "badge" }, found ? several(answer.changes.length, "change") : answer.rank_before === answer.rank_after && answer.status === "minimal" ? "No change" : "Not found"),
      make("span", null, found ? ["With ", answer.changes.length === 1 ? "this change of " : "these changes of ", what, ` it goes from rank ${whole(answer.rank_before)} to ${whole(answer.rank_after)} (${answer.target}). ${status}`]
        : answer.finding || (answer.status === "minimal" ? `It is there already: rank ${whole(answer.rank_before)} (${answer.target}).` : `No change that was tried suffices ${answer.target}.`))),
    found ? [diff(text, answer.changes), ladder(answer)] : null,
    known(answer.robustness) ? note(`With its words at other places it reaches the goal in ${percent(answer.robustness)} of the cases.`) : null,
    answer.alternatives?.length ? fold(`${several(answer.alternatives.length, "other way")} of the same size`, () => answer.alternatives.map((one) => [diff(text, one.changes), note(`Rank ${whole(one.rank_after)}.`)])) : null,
    answer.tried?.length ? fold("What was tried and does not suffice", () => table(["changes", "rank"], answer.tried.slice(0, 50).map((one) => [bdi(one.changes.join(", ")), make("td", { class: "n" }, whole(one.rank))]), { label: "Tried" })) : null,
    found && answer.of === "document" && context.edit ? make("p", null, make("button", { type: "button", click: () => context.edit(answer.doc_id, answer.edited_text) }, "Edit from here")) : null,
    made(answer),
  ];
}

function textOfChange(answer) {
  const at = (answer.ranking?.doc_ids || []).indexOf(answer.doc_id);
  return answer.document ?? (at < 0 ? "" : answer.ranking.texts?.[at] ?? "");
}
