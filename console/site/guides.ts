/** The guides work without this script. It adds the search, tabs of languages, and copy buttons. */

import "../state/preferences";
import { addCopyButtons } from "./copy";
import { startSearch } from "./search";
import { groupLanguages } from "./tabs";

const WIDE = "(min-width: 60rem)";

const pages = document.querySelector<HTMLDetailsElement>(".pages");
if (pages && !matchMedia(WIDE).matches) pages.open = false;

groupLanguages(document.querySelector("main")!);
addCopyButtons(document.querySelector("main")!);
startSearch(document.querySelector<HTMLFormElement>(".search")!);
