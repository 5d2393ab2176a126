// Opens the page as soon as it can be opened. It asks with HEAD requests, so that nothing is read out again meanwhile;
// the longer it has waited, the more often it asks, so that who came first is likely to be the next.
"use strict";
(() => {
  const FIRST_SECONDS = 2; // a page that is loaded again ends its old session when this one has arrived
  const UNKNOWN_SECONDS = 10;
  const { seconds } = document.currentScript.dataset;

  const ask = async () => {
    let wait = UNKNOWN_SECONDS;
    try {
      const response = await fetch(location.href, { method: "HEAD", cache: "no-store" });
      if (response.status !== 503) return location.reload();
      wait = Number(response.headers.get("Retry-After")) || wait;
    } catch {
      // the server cannot be reached: it is asked again
    }
    const minutes = performance.now() / 60000;
    setTimeout(ask, Math.max(wait / (1 + minutes), 1) * 1000);
  };
  setTimeout(ask, Math.min(seconds, FIRST_SECONDS) * 1000);
})();
