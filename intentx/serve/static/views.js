// Which view shows which kind of answer. A kind that is not here is shown by what it holds.
import { anyView, pageOnly, showable } from "./view-any.js";
import { changeView } from "./view-change.js";
import { comparisonView } from "./view-comparison.js";
import { documentView } from "./view-document.js";
import { missingView } from "./view-missing.js";
import { rankingView } from "./view-ranking.js";

const VIEWS = {
  "intentx.intent": rankingView,
  "intentx.equivalent-query": rankingView,
  "intentx.document": documentView,
  "intentx.gradcam": documentView,
  "intentx.change": changeView,
  "intentx.missing": missingView,
  "intentx.comparison": comparisonView,
};

/** The parts of an answer's view; a view that does not fit its answer gives way to the general one. */
export function viewOf(answer, context) {
  const kind = String(answer?.format || "").split("/")[0];
  const parts = (view) => [view(answer, context)].flat(Infinity).filter((part) => part !== null && part !== undefined && part !== false && part !== "");
  try {
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
