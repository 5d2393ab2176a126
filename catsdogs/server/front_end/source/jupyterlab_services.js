// The part of JupyterLab's services that a connection to a kernel needs.

export { CommsOverSubshells } from "@jupyterlab/services/lib/kernel/comm.js";
export { ServerConnection } from "@jupyterlab/services/lib/serverconnection.js";
