// Shows a banner when the page's session has ended or the server cannot be reached; ends the session when the page closes.
"use strict";
(() => {
  // A lost session is shown within ten seconds: the period, the timeout, and the time of the response.
  const HEARTBEAT_PERIOD = 4000;
  const HEARTBEAT_TIMEOUT = 4000;
  const SLOW_LOADING = 45000;
  const MIN_CLICK_INTERVAL = 3000;
  const banner = document.getElementById("session-banner");
  const darkScheme = window.matchMedia("(prefers-color-scheme: dark)");
  const { kernel } = document.body.dataset;
  let lost = false;
  let pending = false;
  let lastHeartbeat = 0;

  const setTheme = () => {
    document.body.dataset.jpThemeLight = String(!darkScheme.matches);
    document.body.dataset.jpThemeName = darkScheme.matches ? "JupyterLab Dark" : "JupyterLab Light";
  };
  darkScheme.addEventListener("change", setTheme);
  setTheme();

  /** Show the banner with the text of a state of the session, or hide it (null). */
  const showBanner = (state) => {
    banner.hidden = !state;
    banner.querySelector("span").textContent = state ? banner.dataset[state] : "";
  };

  const sendHeartbeat = async () => {
    if (lost || pending) return;
    lastHeartbeat = Date.now();
    pending = true;
    try {
      const signal = AbortSignal.timeout(HEARTBEAT_TIMEOUT);
      const response = await fetch(`/session/${kernel}`, { cache: "no-store", signal });
      lost = response.status === 404;
      showBanner(lost ? "lost" : response.ok ? null : "offline"); // 503: the kernel gateway is unavailable
    } catch {
      showBanner("offline");
    }
    pending = false;
  };

  setInterval(sendHeartbeat, HEARTBEAT_PERIOD);
  document.addEventListener("click", () => Date.now() - lastHeartbeat > MIN_CLICK_INTERVAL && sendHeartbeat());
  window.addEventListener("online", sendHeartbeat);
  window.addEventListener("offline", () => showBanner("offline"));
  document.addEventListener("visibilitychange", () => document.hidden || sendHeartbeat());
  setTimeout(() => document.querySelector("#loading, #preload") && showBanner("slow"), SLOW_LOADING);

  window.addEventListener("pagehide", () => {
    if (!lost) navigator.sendBeacon(`/voila/api/shutdown/${kernel}`);
  });
  window.addEventListener("pageshow", (event) => event.persisted && sendHeartbeat());
})();
