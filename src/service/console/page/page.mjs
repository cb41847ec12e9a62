// The console: reads the status of the service each second, and draws it.

import { History } from "../history.ts";
import { apiKey, getJson, keepApiKey, Refused } from "./client.mjs";
import { prepareIds, setLayout } from "./ids.mjs";
import { prepare, showCapacity, showSilence, showStatus } from "./live.mjs";
import { createOperations, needsKey, presetNames } from "./tryout.mjs";

/** The pause between an answer and the next request, in milliseconds: as long as the service keeps a probe's result. */
const PAUSE_MS = 1000;

const place = (id) => document.getElementById(id);

let history = new History();
let timer;
let isReading = false;
let answeredAt = performance.now();
let hasLayout = false;

function showAccess(message = "") {
  place("live").hidden = true;
  place("live-links").hidden = true;
  place("access").hidden = false;
  place("forget-key").hidden = true;
  place("key-fault").textContent = message;
  place("key").ariaInvalid = String(message !== "");
  place("key").focus();
}

function showLive() {
  place("access").hidden = true;
  place("live").hidden = false;
  place("live-links").hidden = false;
  place("forget-key").hidden = apiKey() === "";
}

/** Reads the status once. Resolves to whether to go on. */
async function read() {
  const key = apiKey();
  // An answer to a key that was forgotten meanwhile is not shown.
  const isForgotten = () => apiKey() !== key;
  try {
    const status = await getJson("status");
    if (isForgotten()) return apiKey() !== "";
    answeredAt = performance.now();
    history.add(status, answeredAt);
    setLayout(status);
    if (!hasLayout) showCapacity(status);
    hasLayout = true;
    showLive();
    showStatus(status, history, answeredAt);
    return true;
  } catch (error) {
    if (isForgotten()) return apiKey() !== "";
    const isKeyFault = error instanceof Refused && [401, 403, 429].includes(error.status);
    if (isKeyFault) {
      keepApiKey("");
      showAccess(error.message);
      return false;
    }
    showLive();
    showSilence(performance.now() - answeredAt, error);
    return true;
  }
}

/** Reads the status, and again after a pause, while the page is visible. */
async function poll() {
  clearTimeout(timer);
  if (isReading || document.hidden) return;
  isReading = true;
  const goesOn = await read();
  isReading = false;
  if (goesOn) timer = setTimeout(poll, PAUSE_MS);
}

/** Reads the document of the service, which is public. */
async function readDocument() {
  for (;;) {
    try {
      return await getJson("openapi.json");
    } catch (error) {
      showLive();
      showSilence(performance.now() - answeredAt, error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

async function start() {
  prepare();
  const document_ = await readDocument();
  prepareIds(presetNames(document_));
  place("operations").replaceChildren(...createOperations(document_));
  place("routes").hidden = false;
  if (needsKey(document_) && apiKey() === "") showAccess();
  else await poll();
}

place("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepApiKey(place("key").value.trim());
  place("key").value = "";
  void poll();
});
place("forget-key").addEventListener("click", () => {
  clearTimeout(timer);
  keepApiKey("");
  history = new History();
  showAccess();
});
document.addEventListener("visibilitychange", () => {
  if (!place("live").hidden) void poll();
});

void start();
