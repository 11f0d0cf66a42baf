// Puts what the server rendered in its place, and sends what the operator does. It words nothing:
// every text comes from the server, in the language of the page.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const token = $("meta[name=token]").content;
const boot = $("meta[name=boot]").content;
const ASK_AGAIN_MS = 20000; // what-if looks through all recorded parts, and fifty may look on
const SILENT_MS = 4000; // the server beats every second; what stands here is old after this

// What the server says

let heardAt = performance.now();

function listen() {
  const events = new EventSource("events");
  const heard = () => { heardAt = performance.now(); $("#offline").hidden = true; };
  events.addEventListener("boot", (event) => {
    heard();
    if (event.data !== boot) location.reload(); // the inspector was started anew
  });
  events.addEventListener("beat", heard);
  events.addEventListener("pieces", (event) => {
    heard();
    for (const [name, html] of Object.entries(JSON.parse(event.data))) put(name, html);
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 2000); // refused: 401, 503
  });
}

function put(name, html) {
  const place = $(`[data-region="${name}"]`);
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const key = focused && focused.dataset.part;
  const scrolled = place.scrollTop;
  place.innerHTML = html;
  place.scrollTop = scrolled;
  if (focused) {
    const again = key ? $(`[data-part="${key}"]`, place) : $("button", place);
    if (again) { rove(place, again); again.focus({ preventScroll: true }); }
  }
  if (name !== "histogram") return;
  fit();
  if (!settled && performance.now() - askedAt > ASK_AGAIN_MS) ask(); // it is about more parts now
}

setInterval(() => {
  const silent = performance.now() - heardAt > SILENT_MS;
  if (silent && $("#offline").hidden) $("#offline").hidden = false;
}, 500);

setInterval(() => { $(".clock").textContent = new Date().toTimeString().slice(0, 8); }, 1000);

// The live picture: fetched only while somebody can see it

const live = $("#live");
function watch() {
  if (document.hidden) live.removeAttribute("src");
  else live.src = `${live.dataset.src}?${Date.now()}`;
}
live.addEventListener("error", () => { if (live.hasAttribute("src")) setTimeout(watch, 2000); });
document.addEventListener("visibilitychange", watch);

// What is sent

async function send(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-token": token },
    body: JSON.stringify(body || {}),
  });
  const kind = answer.headers.get("content-type") || "";
  const said = kind.startsWith("application/json") ? await answer.json() : { text: await answer.text() };
  return { done: answer.ok, locked: answer.status === 403, text: said.text || "" };
}

// Dialogs

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}

async function openPart(id) {
  const answer = await fetch(`parts/${encodeURIComponent(id)}`);
  if (!answer.ok) return;
  $("#part .content").innerHTML = await answer.text();
  if (!$("#part").open) $("#part").showModal();
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("button, .zoom");
  if (!target) return;
  if (target.dataset.part) openPart(target.dataset.part);
  else if ("alarms" in target.dataset) showAlarms();
  else if (target.dataset.right) mark(target);
  else if (target.dataset.zoom && target.tagName === "BUTTON") zoom(Number(target.dataset.zoom));
  else if (target.classList.contains("zoom")) zoom($(".zoom").dataset.zoom === "4" ? 0 : 1);
});

function zoom(step) {
  const frame = $(".zoom");
  const steps = ["1", "2", "4"];
  const at = step ? steps.indexOf(frame.dataset.zoom || "1") + step : 0;
  frame.dataset.zoom = steps[Math.max(0, Math.min(2, at))];
}

function showAlarms() {
  $("#alarm-list .content").replaceChildren($("[data-alarm-list]").content.cloneNode(true));
  $("#alarm-list").showModal();
}

async function mark(button) {
  const box = button.closest(".mark");
  if (!(await unlocked())) return;
  const right = button.dataset.right === "true";
  const answer = await send(`parts/${encodeURIComponent(box.dataset.mark)}/mark`, { right });
  if (answer.locked) setLocked(true);
  $(".said", box).textContent = answer.text;
  if (!answer.done) return;
  for (const other of box.querySelectorAll("button")) other.setAttribute("aria-pressed", other === button);
}

// Arrow keys move along the strip, which is one stop of the tab key

function rove(list, chosen) {
  for (const tile of list.querySelectorAll(".tile[data-part]")) tile.tabIndex = tile === chosen ? 0 : -1;
}

$('[data-region="strip"]').addEventListener("keydown", (event) => {
  const tiles = [...event.currentTarget.querySelectorAll(".tile[data-part]")];
  const at = tiles.indexOf(document.activeElement);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tiles.length - 1 }[event.key];
  if (at < 0 || to === undefined || !tiles[to]) return;
  event.preventDefault();
  rove(event.currentTarget, tiles[to]);
  tiles[to].focus();
});

// The PIN

let waiting = null; // what wants to know whether it may go on

function setLocked(locked) { document.body.dataset.locked = locked; }

function unlocked() {
  if (document.body.dataset.locked === "false") return true;
  if (document.body.dataset.pin === "false") { $("#lock").focus(); return false; }
  $("#pin-input").value = "";
  $("#pin .error").textContent = "";
  $("#pin").showModal();
  return new Promise((resolve) => { waiting = resolve; });
}

$("#pin").addEventListener("close", () => {
  if (waiting) waiting(document.body.dataset.locked === "false");
  waiting = null;
});

$("#pin .keypad").addEventListener("click", (event) => {
  const digit = event.target.closest("[data-digit]");
  if (!digit) return;
  const input = $("#pin-input");
  input.value = digit.dataset.digit ? input.value + digit.dataset.digit : input.value.slice(0, -1);
});

$("#pin form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await send("unlock", { pin: $("#pin-input").value });
  $("#pin-input").value = "";
  $("#pin .error").textContent = answer.text;
  if (!answer.done) return;
  setLocked(false);
  $("#pin").close();
});

$("#lock").addEventListener("click", async () => {
  if (document.body.dataset.locked === "true") { unlocked(); return; }
  await send("lock");
  setLocked(true);
});

// Theme: what is shown now, the other way round

$("#theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme}; max-age=31536000; path=/; samesite=strict`;
});

// What if

const wish = $("#wish");
let touched = false;
let asked = 0, askedAt = 0, settled = false;

function fit() {
  const plot = $(".plot");
  $(".whatif").hidden = !plot;
  if (!plot) return;
  const { limit, end, unit } = plot.dataset;
  wish.step = unit === "px" ? 1 : Number(end) / 500;
  wish.min = wish.step;
  wish.max = end;
  if (!touched) wish.value = limit;
  place();
}

function place() {
  const plot = $(".plot");
  if (!plot) return;
  const { limit, end, left, right } = plot.dataset;
  const line = $(".wished", plot);
  line.hidden = !touched || Number(wish.value) === Number(limit);
  const share = Number(left) + (1 - left - right) * Math.min(1, wish.value / end);
  line.style.left = `calc(${100 * share}% - 1px)`;
}

async function ask() {
  const number = ++asked;
  askedAt = performance.now();
  const answer = await fetch(`whatif?limit=${wish.value}`);
  if (number !== asked || !answer.ok) return;
  const said = await answer.json();
  $("#wish-value").textContent = said.limit;
  $("#flips").textContent = said.flips;
  $("#ask-text").textContent = said.ask;
  $("#set-limit").disabled = said.same || document.body.dataset.pin === "false";
}

function wished() { touched = true; settled = false; place(); ask(); }
wish.addEventListener("input", wished);
for (const button of document.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => {
    if (button.dataset.step === "1") wish.stepUp(); else wish.stepDown();
    wished();
  });
}

$("#set-limit").addEventListener("click", async () => {
  if (!(await unlocked())) return;
  $("#ask .error").textContent = "";
  $("#ask").showModal();
});

$("#ask-yes").addEventListener("click", async () => {
  const answer = await send("limit", { limit: Number(wish.value) });
  if (answer.locked) setLocked(true);
  if (!answer.done) { $("#ask .error").textContent = answer.text; return; }
  $("#ask").close();
  touched = false;
  settled = true;
  $("#flips").textContent = answer.text;
  $("#set-limit").disabled = true;
});

fit();
ask();
watch();
listen();
