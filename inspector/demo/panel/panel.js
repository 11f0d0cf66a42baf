"use strict";
const token = document.querySelector("meta[name=token]").content;
const status = document.querySelector("[role=status]");
const frame = document.querySelector("iframe");

async function show() { // a frame that finds nobody stays empty, and the inspector takes a moment to start
  const answer = await fetch("ready").catch(() => null);
  if (answer?.ok) frame.src = frame.dataset.src;
  else setTimeout(show, 200);
}
show();

for (const button of document.querySelectorAll("[data-fault]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const answer = await fetch(`faults/${button.dataset.fault}`, { method: "POST", headers: { "x-token": token } });
      const said = await answer.json();
      button.setAttribute("aria-pressed", said.broken);
      button.textContent = said.broken ? button.dataset.mend : button.dataset.break;
      status.textContent = said.text || (said.broken ? button.dataset.expect : "Mended. It recovers by itself; nothing needs to be restarted.");
    } catch {
      status.textContent = "The demo has ended.";
    }
    button.disabled = false;
    button.focus();
  });
}
