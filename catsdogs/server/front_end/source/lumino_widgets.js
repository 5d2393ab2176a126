// The part of Lumino's widgets on which ipywidgets is built: without menus, tabs and docks.

export { Panel } from "@lumino/widgets/src/panel.ts";
export { Widget } from "@lumino/widgets/src/widget.ts";
