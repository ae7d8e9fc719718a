"use strict";

// Collects the answers, keeps them in the browser until they are saved, and writes them to a file.
const survey = JSON.parse(document.getElementById("data").textContent);
const KEPT = `intentx-${survey.survey}-${survey.copy}`;
const who = document.getElementById("who");
const state = document.getElementById("state");

/** The choice of each question that is answered, by the question's number. */
function answers() {
  const found = {};
  for (const input of document.querySelectorAll("input[type=radio]:checked")) {
    found[input.name.slice(1)] = input.value;
  }
  return found;
}

/** Say how many are answered, and keep them. */
function look() {
  const found = answers();
  const number = Object.keys(found).length;
  state.textContent = `${number} of ${survey.questions} answered.`;
  for (const input of document.querySelectorAll("input[type=radio]:checked")) {
    input.closest("section").classList.remove("missing");
  }
  try {
    localStorage.setItem(KEPT, JSON.stringify({ who: who.value, answers: found }));
  } catch {
    // a browser that keeps nothing: the file is what counts
  }
}

/** Put back what was kept. */
function restore() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) || "{}");
    who.value = kept.who || "";
    for (const [number, choice] of Object.entries(kept.answers || {})) {
      const all = document.querySelectorAll(`input[name="q${Number(number)}"]`);
      for (const input of all) input.checked = input.value === choice;
    }
  } catch {
    // as above
  }
}

/** Write the file; what is left out is marked first, and saved as left out the second time. */
function save() {
  const found = answers();
  const left = survey.questions - Object.keys(found).length;
  if (!who.value.trim()) {
    state.textContent = "Please give your name or initials at the top: answers of two people are told apart by it.";
    who.focus();
    return;
  }
  if (left && !save.warned) {
    save.warned = true;
    const open = [...document.querySelectorAll(".question")].filter((one) => !one.querySelector(":checked"));
    for (const one of open) one.classList.add("missing");
    state.textContent = `${left} not answered, marked above. Save again to leave them out.`;
    return;
  }
  const plain = {
    format: survey.format, survey: survey.survey, copy: survey.copy, assessor: who.value.trim(), answers: found,
  };
  const link = document.createElement("a");
  const url = URL.createObjectURL(new Blob([JSON.stringify(plain, null, 1) + "\n"], { type: "application/json" }));
  link.href = url;
  link.download = `answers-${who.value.trim().replace(/[^\p{L}\p{N}]+/gu, "-")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  state.textContent = `${Object.keys(found).length} answers saved as ${link.download}.`;
}

restore();
look();
document.addEventListener("change", look);
who.addEventListener("input", look);
document.getElementById("save").addEventListener("click", save);
