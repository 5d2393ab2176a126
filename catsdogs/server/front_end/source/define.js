// anywidget is published as an AMD module: it calls define() with the function that makes its classes.

export let makeClasses;

/** Keep the function. */
export function define(_names, factory) {
  makeClasses = factory;
}
