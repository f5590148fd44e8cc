// Jejak in the browser: live pages, copying, upload progress, no double sending.
// Every page works without this file; nothing here decides anything.
"use strict";

const root = document.documentElement;
root.classList.add("js");

const words = () => document.body.dataset;

/** Say something to people who listen to the page. */
function announce(text) {
  const voice = document.getElementById("voice");
  if (!voice || !text) return;
  // Emptied first: the same sentence twice would not be read again.
  voice.textContent = "";
  setTimeout(() => { voice.textContent = text; }, 60);
}

// ---- Live pages -------------------------------------------------------------------------------

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30000;

/** Keep `box` as the server last drew it. */
class Live {
  constructor(box) {
    this.box = box;
    this.failures = 0;
    this.last = "";
    this.state = document.createElement("p");
    this.state.className = "live-state";
    this.state.dataset.state = "off";
    box.before(this.state);
    this.open();
    // A phone that slept should not wait for the next try.
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.waiting) this.retryNow();
    });
    window.addEventListener("online", () => { if (this.waiting) this.retryNow(); });
    window.addEventListener("pagehide", () => this.source.close());
    window.addEventListener("pageshow", (event) => { if (event.persisted) this.open(); });
    box.addEventListener("focusout", () => { if (this.held) this.show(this.held); });
  }

  open() {
    clearTimeout(this.timer);
    this.waiting = false;
    const url = new URL(this.box.dataset.live, location.href);
    if (this.last) url.searchParams.set("last", this.last);
    this.source = new EventSource(url);
    this.source.onopen = () => this.connected();
    this.source.onerror = () => this.lost();
    this.source.addEventListener("fragment", (event) => {
      this.last = event.lastEventId;
      this.show(event.data);
    });
  }

  connected() {
    if (this.failures > 0) announce(words().sayLive);
    this.failures = 0;
    this.tell("live", words().sayLive);
  }

  lost() {
    this.source.close();
    this.failures += 1;
    this.waiting = true;
    if (this.failures === 2) announce(words().sayLost);
    this.tell("lost", words().sayLost);
    const wait = Math.min(FIRST_WAIT * 2 ** (this.failures - 1), LONGEST_WAIT);
    // Spread out, so that a thousand pages don't come back in the same instant.
    this.timer = setTimeout(() => this.open(), wait * (0.5 + Math.random()));
  }

  retryNow() {
    this.failures = 0;
    this.open();
  }

  tell(state, text) {
    this.state.dataset.state = state;
    this.state.textContent = text;
  }

  show(html) {
    const focused = this.box.contains(document.activeElement) ? document.activeElement : null;
    if (focused && focused.matches("input, select, textarea")) {
      // Never take a field away from somebody who is typing in it.
      this.held = html;
      return;
    }
    this.held = null;
    const next = document.createElement("template");
    next.innerHTML = html;
    if (next.innerHTML.trim() === this.drawn) return;
    const first = this.drawn === undefined;
    const before = this.spoken();
    const unchanged = first && plain(next.innerHTML) === plain(this.box.innerHTML);
    this.drawn = next.innerHTML.trim();
    if (unchanged) return;
    const id = focused && focused.id;
    const open = [...this.box.querySelectorAll("details[open][id]")].map((d) => d.id);
    this.box.replaceChildren(next.content);
    open.forEach((d) => { const found = document.getElementById(d); if (found) found.open = true; });
    if (id) document.getElementById(id)?.focus();
    const after = this.spoken();
    if (after && after !== before) announce(after);
    this.box.dispatchEvent(new CustomEvent("jejak:live", { bubbles: true }));
  }

  /** The one sentence of the fragment that is worth saying aloud. */
  spoken() {
    return this.box.querySelector("[data-announce]")?.textContent.trim() ?? "";
  }
}

const plain = (html) => html.replace(/\s+/g, " ").trim();

// ---- Copying ----------------------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.querySelector("[data-copy-label]") ?? button;
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    label.textContent = words().sayCopied;
    announce(words().sayCopied);
    setTimeout(() => { label.textContent = before; }, 2500);
  } catch {
    // No clipboard here (old browser, plain http): mark the number, so that a long press copies.
    const value = button.parentElement.querySelector("[data-copy-value]");
    if (value) getSelection().selectAllChildren(value);
  }
});

// ---- Printing ---------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// ---- Sending ----------------------------------------------------------------------------------

/** Show that the form is on its way; false when it already is. */
function begin(form, submitter) {
  if (form.dataset.busy) return false;
  form.dataset.busy = "yes";
  const button = submitter ?? form.querySelector("button:not([type=button])");
  if (button) {
    button.setAttribute("aria-disabled", "true");
    button.dataset.label = button.textContent;
    // Changed after the browser has read the form, which may need the button's own value.
    setTimeout(() => { if (form.dataset.busy) button.textContent = words().saySending; }, 0);
  }
  return true;
}

function finish(form) {
  delete form.dataset.busy;
  for (const button of form.querySelectorAll("button[aria-disabled]")) {
    button.removeAttribute("aria-disabled");
    button.textContent = button.dataset.label;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (!begin(form, event.submitter)) {
    event.preventDefault();
  } else if ("upload" in form.dataset) {
    event.preventDefault();
    upload(form, event.submitter);
  }
});

// Coming back with the back button must not find a dead form.
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-busy]").forEach(finish));

// ---- Uploading --------------------------------------------------------------------------------

function upload(form, submitter) {
  const panel = form.querySelector("[data-upload-progress]");
  const bar = panel?.querySelector("progress");
  const text = panel?.querySelector("[data-upload-text]");
  const request = new XMLHttpRequest();
  const report = (share) => {
    if (!panel) return;
    panel.hidden = false;
    bar.value = share;
    text.textContent = `${words().saySending} ${Math.round(share * 100)}%`;
  };
  const failed = (sentence) => {
    finish(form);
    if (panel) panel.hidden = true;
    complain(form, sentence);
  };
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) report(event.loaded / event.total);
  });
  request.addEventListener("load", () => arrived(request, failed));
  request.addEventListener("error", () => failed(words().sayFailed));
  request.addEventListener("timeout", () => failed(words().sayFailed));
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html, application/problem+json");
  request.setRequestHeader("X-Jejak-Upload", "1");
  report(0);
  const data = new FormData(form);
  if (submitter?.name) data.append(submitter.name, submitter.value);
  request.send(data);
}

/** Go where the server says, show the page it drew, or the sentence it answered. */
function arrived(request, failed) {
  const next = request.getResponseHeader("X-Location");
  const type = request.getResponseHeader("Content-Type") ?? "";
  if (next) {
    location.assign(next);
  } else if (type.includes("json")) {
    failed(problemSentence(request.responseText));
  } else if (request.status >= 500 || !type.includes("html")) {
    failed(words().sayFailed);
  } else {
    showPage(request.responseText);
  }
}

function problemSentence(text) {
  try {
    const problem = JSON.parse(text);
    const first = problem.errors?.[0]?.message;
    return [problem.detail, first].filter(Boolean).join(" ") || words().sayFailed;
  } catch {
    return words().sayFailed;
  }
}

function showPage(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  document.title = page.title;
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  start(document.querySelector("main"));
  window.scrollTo(0, 0);
}

/** Put one sentence above the form, and the reader in front of it. */
function complain(form, sentence) {
  form.querySelector("[data-complaint]")?.remove();
  const box = document.createElement("div");
  box.className = "error-summary";
  box.dataset.complaint = "";
  box.setAttribute("role", "alert");
  box.tabIndex = -1;
  const line = document.createElement("h2");
  line.textContent = sentence;
  box.append(line);
  form.prepend(box);
  box.focus();
}

// ---- Start ------------------------------------------------------------------------------------

function start(within) {
  within.querySelectorAll("[data-live]").forEach((box) => new Live(box));
  within.querySelector("[data-error-summary]")?.focus();
}

start(document);
