// Makes the widgets of a page from their state, and connects each to its twin in the kernel.

import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import { BoxModel, BoxView } from "@jupyter-widgets/controls/lib/widget_box.js";
import { Widget } from "@lumino/widgets";
import "anywidget";
import { makeClasses } from "./define.js";

const MODULES = {
  "@jupyter-widgets/base": base,
  "@jupyter-widgets/controls": { BoxModel, BoxView },
  anywidget: makeClasses(base),
};

/** The widgets of one page; `kernel` is the connection to its kernel. */
export class WidgetManager extends ManagerBase {
  constructor(kernel) {
    super();
    this.kernel = kernel;
    kernel.registerCommTarget(this.comm_target_name, (comm, message) =>
      this.handle_comm_open(new base.shims.services.Comm(comm), message),
    );
  }

  /** Return the class of a model or view. */
  async loadClass(name, module) {
    const found = MODULES[module]?.[name];
    if (!found) throw new Error(`this page has no widget ${name} of ${module}`);
    return found;
  }

  /** Make the models of widgets that run in the kernel, from their state as nbclient writes it. */
  async restore(state) {
    // all of them are registered before the first one asks for its children
    const models = Object.entries(state).map(([id, { buffers = [], state, ...model }]) => {
      const bytes = buffers.map(({ data }) => new DataView(Uint8Array.from(atob(data), (one) => one.charCodeAt(0)).buffer));
      base.put_buffers(state, buffers.map(({ path }) => path), bytes);
      const comm = new base.shims.services.Comm(this.kernel.createComm(this.comm_target_name, id));
      return this.new_model({ ...model, comm }, state);
    });
    await Promise.all(models);
  }

  /** Show the widget of a model in an element of the page. */
  async show(id, element) {
    const view = await this.create_view(await this.get_model(id));
    Widget.attach(view.luminoWidget, element);
  }
}
