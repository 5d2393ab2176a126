// Keeps the page honest: it says when its session has ended, and ends the session when it closes.
"use strict";
(() => {
  const PERIOD = 4000; // a lost session is said within ten seconds:
  const PATIENCE = 4000; // at the latest after both, and the answer's time
  const SLOW = 45000;
  const CLICK_PAUSE = 3000;
  const banner = document.getElementById("session-banner");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let lost = false;
  let asking = false;
  let last = 0;

  const follow = () => {
    document.body.dataset.jpThemeLight = String(!dark.matches);
    document.body.dataset.jpThemeName = dark.matches ? "JupyterLab Dark" : "JupyterLab Light";
  };
  dark.addEventListener("change", follow);
  follow();

  const say = (kind) => {
    banner.hidden = !kind;
    banner.querySelector("span").textContent = kind ? banner.dataset[kind] : "";
  };

  const { kernel } = document.body.dataset;

  const beat = async () => {
    if (lost || asking) return;
    last = Date.now();
    asking = true;
    try {
      const answer = await fetch(`/session/${kernel}`, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      lost = answer.status === 404;
      say(lost ? "lost" : answer.ok ? null : "offline"); // 503: what runs the session is away
    } catch {
      say("offline");
    }
    asking = false;
  };

  setInterval(beat, PERIOD);
  document.addEventListener("click", () => Date.now() - last > CLICK_PAUSE && beat());
  window.addEventListener("online", beat);
  window.addEventListener("offline", () => say("offline"));
  document.addEventListener("visibilitychange", () => document.hidden || beat());
  setTimeout(() => document.querySelector("#loading, #preload") && say("slow"), SLOW);

  window.addEventListener("pagehide", () => {
    if (!lost) navigator.sendBeacon(`/voila/api/shutdown/${kernel}`);
  });
  window.addEventListener("pageshow", (event) => event.persisted && beat());
})();
