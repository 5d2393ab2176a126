// Bundles source/main.js with the packages of package-lock.json into built/front_end.js, and writes their licences.

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const OUTPUT = process.argv[2] ?? "built"; // folder of the output
const source = (name) => new URL(`source/${name}`, import.meta.url).pathname;

// Packages of which a part suffices, and one that nothing here needs (see these modules of source/).
const PARTS = {
  "@jupyterlab/coreutils": "jupyterlab_coreutils.js",
  "@lumino/widgets": "lumino_widgets.js",
  "sanitize-html": "no_html.js",
};

/** Take the parts; the kernel connection imports all of @jupyterlab/services, for two of its parts, as "..". */
const partsOfPackages = {
  name: "parts of packages",
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${Object.keys(PARTS).join("|")})$`) }, ({ path }) => ({ path: source(PARTS[path]) }));
    onResolve({ filter: /^\.\.$/ }, ({ importer }) =>
      importer.includes("@jupyterlab/services/lib/kernel/") ? { path: source("jupyterlab_services.js") } : null,
    );
  },
};

/** anywidget gives a widget's script two seconds to load; on a slow phone the widget then ignored its kernel for ever. */
const patientAnywidget = {
  name: "patient anywidget",
  setup({ onLoad }) {
    onLoad({ filter: /anywidget\/dist\/index\.js$/ }, async ({ path }) => {
      const [before, after, ...more] = (await readFile(path, "utf8")).split("AbortSignal.timeout(2e3)");
      if (after === undefined || more.length) throw new Error("anywidget has changed: look for its timeout");
      return { contents: `${before}AbortSignal.timeout(6e5)${after}` };
    });
  },
};

/** Return the licence texts of the packages of which the bundle has a part; anywidget is published with two more in it. */
async function licences(inputs) {
  const paths = [...inputs, "node_modules/solid-js/", "node_modules/@lukeed/uuid/"];
  const folders = new Set(paths.map((path) => path.match(/.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  const texts = [...folders].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
    const file = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file));
    if (!file && license !== "BSD-3-Clause") throw new Error(`${name} brings no licence: add its text`);
    const text = file ? await readFile(`${folder}/${file}`, "utf8") : await readFile(source("jupyter.LICENSE.txt"), "utf8");
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

const { metafile } = await build({
  entryPoints: [source("main.js")],
  outfile: `${OUTPUT}/front_end.js`,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none", // all licences are in a file of their own
  banner: { js: "/*! Contains packages of others: see front_end.LICENSES.txt beside this file. */" },
  alias: { jquery: "cash-dom" }, // a smaller one with the same functions
  inject: [source("define.js")],
  define: { "process.env.NODE_ENV": '"production"' },
  external: ["ws"], // for Node only
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } }, // as Lumino's own build
  plugins: [partsOfPackages, patientAnywidget],
  metafile: true,
  logLevel: "warning",
});
const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
  Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput).map(([path]) => path),
);
await mkdir(OUTPUT, { recursive: true });
await writeFile(`${OUTPUT}/front_end.LICENSES.txt`, await licences(used));
