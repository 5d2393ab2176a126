// Shows the widgets of a page of the server: a small part of what JupyterLab and Voilà do.
//
// The page brings the state of its widgets, which it has when its notebook has run, and the ids of those to be shown.

import { ServerConnection } from "@jupyterlab/services/lib/serverconnection.js";
import { KernelConnection } from "@jupyterlab/services/lib/kernel/default.js";
import { WidgetManager } from "./widget_manager.js";

/** Wait until the page is complete: its notebook has run. */
async function pageIsComplete() {
  if (document.readyState === "loading") await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve));
}

const { kernel, prefix, scripts } = document.body.dataset;
globalThis.catsdogs = await import(scripts); // what each widget's own script names
await pageIsComplete();
const url = new URL(`${prefix}/`, location).href;
const connection = new KernelConnection({
  model: { id: kernel, name: "python3" },
  serverSettings: ServerConnection.makeSettings({ baseUrl: url, wsUrl: url.replace("http", "ws") }),
  commsOverSubshells: "disabled",
});
document.dispatchEvent(new CustomEvent("catsdogs:kernel", { detail: connection }));

const cells = document.getElementById("rendered_cells");
const shown = [...cells.querySelectorAll("[data-model]")];
const manager = new WidgetManager(connection);
await manager.restore(JSON.parse(document.getElementById("widget-states")?.textContent ?? "{}"));
await Promise.all(shown.map((element) => manager.show(element.dataset.model, element)));
cells.hidden = false;
document.getElementById("loading")?.remove();
if (!shown.length) document.getElementById("preload")?.remove(); // the notebook failed: its widgets will not replace it
