// node write.mjs FOLDER: writes cel.cases.json and jsonlogic.cases.json there.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cel } from "./cel.mjs";
import { jsonlogic } from "./jsonlogic.mjs";

const folder = process.argv[2];
for (const [language, cases] of [
  ["cel", cel()],
  ["jsonlogic", jsonlogic()],
]) {
  writeFileSync(join(folder, `${language}.cases.json`), JSON.stringify(cases, null, 1));
}
