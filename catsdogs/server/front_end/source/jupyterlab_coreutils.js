// The part of JupyterLab's utilities that a connection to a kernel needs.

export { PageConfig } from "@jupyterlab/coreutils/lib/pageconfig.js";
export { URLExt } from "@jupyterlab/coreutils/lib/url.js";
