// Which view shows which kind of answer. A kind that is not here is shown by what it holds.
import { bdi, known, make, real, several, whole } from "./dom.js";
import { table } from "./parts.js";
import { anyView, pageOnly, showable } from "./view-any.js";
import { changeView } from "./view-change.js";
import { comparisonView } from "./view-comparison.js";
import { documentView } from "./view-document.js";
import { attentionView, pairsView } from "./view-inside.js";
import { missingView } from "./view-missing.js";
import { rankingView } from "./view-ranking.js";

const VIEWS = {
  "intentx.intent": rankingView,
  "intentx.equivalent-query": rankingView,
  "intentx.document": documentView,
  "intentx.gradcam": documentView,
  "intentx.attention": attentionView,
  "intentx.token-pairs": pairsView,
  "intentx.change": changeView,
  "intentx.missing": missingView,
  "intentx.comparison": comparisonView,
};

/** An edit that was kept: where the document stood, and stands. */
function scoreView({ before, after, doc }) {
  const was = new Map(before.map((one) => [one.doc_id, one.rank]));
  const moved = after.filter((one) => was.get(one.doc_id) !== one.rank);
  return [doc ? make("p", { class: "verdict" }, make("b", { class: "badge" }, known(doc.rank_before) ? `${whole(doc.rank_before)} → ${whole(doc.rank_after)}` : `Rank ${whole(doc.rank_after)} of ${whole(after.length)}`), known(doc.score_before) ? `Score ${real(doc.score_before)} → ${real(doc.score_after)}.` : `Score ${real(doc.score_after)}, beside the ${several(before.length, "document")} that were ranked.`) : null,
    table(["document", "before", "after"], moved.map((one) => [bdi(one.doc_id), whole(was.get(one.doc_id)), whole(one.rank)]), { label: "What moved" })];
}

/** The parts of an answer's view; a view that does not fit its answer gives way to the general one. */
export function viewOf(answer, context) {
  const kind = String(answer?.format || "").split("/")[0];
  const parts = (view) => [view(answer, context)].flat(Infinity).filter((part) => part !== null && part !== undefined && part !== false && part !== "");
  try {
    if (!kind && Array.isArray(answer?.before) && Array.isArray(answer.after)) return parts(scoreView);
    if (VIEWS[kind]) return parts(VIEWS[kind]);
  } catch (error) {
    console.warn(error); // an answer of another version: it is shown as far as it can be
  }
  try {
    return parts(showable(answer) ? anyView : pageOnly);
  } catch (error) {
    console.warn(error);
    return parts(pageOnly);
  }
}
