// Drag one result on another, with a mouse, a pen or a finger.
import { make } from "./dom.js";

const FAR = 6; // pixels from which on it is a drag and no click

/** `done(from, to)` is called with the two cards. */
export function drags(root, done) {
  let drag = null;

  root.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest?.(".grip");
    if (!grip || event.button !== 0 || drag) return;
    drag = { from: grip.closest(".card"), id: event.pointerId, x: event.clientX, y: event.clientY, to: null, label: null };
    addEventListener("pointermove", move);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", stop);
    addEventListener("keydown", escape, true);
  });

  function move(event) {
    if (event.pointerId !== drag.id) return;
    if (!drag.label) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR) return;
      drag.label = make("div", { class: "dragged", "aria-hidden": "true" }, `Why above or below … ${drag.from.querySelector("h3").textContent}?`);
      document.body.append(drag.label);
      drag.from.classList.add("source");
      document.documentElement.classList.add("dragging");
    }
    event.preventDefault();
    drag.label.style.setProperty("--x", `${event.clientX}px`);
    drag.label.style.setProperty("--y", `${event.clientY}px`);
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest(".card") || null;
    const to = under && under !== drag.from && root.contains(under) ? under : null;
    if (to !== drag.to) {
      drag.to?.classList.remove("target");
      to?.classList.add("target");
      drag.to = to;
    }
  }

  function drop(event) {
    if (event.pointerId !== drag.id) return;
    const { from, to } = drag;
    stop();
    if (to) done(from, to);
  }

  function escape(event) {
    if (event.key !== "Escape" || !drag.label) return;
    event.stopPropagation();
    stop();
  }

  function stop() {
    drag.label?.remove();
    drag.from.classList.remove("source");
    drag.to?.classList.remove("target");
    document.documentElement.classList.remove("dragging");
    drag = null;
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", drop);
    removeEventListener("pointercancel", stop);
    removeEventListener("keydown", escape, true);
  }
}
