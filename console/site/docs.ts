/** The API reference: shows /openapi.json with Scalar, whose built files are in /scalar/. */

import { theme } from "../state/preferences";

interface Scalar {
  createApiReference(place: string, configuration: Record<string, unknown>): unknown;
}

interface Description {
  components: { parameters: Record<string, { example?: unknown }> };
}

/** The origin in the examples of the description. */
const EXAMPLE = "https://mail.example.com";
const SCRIPT = "/scalar/standalone.esm.js";
const SHOWN = new Set(["shell", "python", "js", "node", "php", "go", "ruby"]);
const LANGUAGES = [
  ...["c", "clojure", "csharp", "dart", "fsharp", "go", "http", "java", "js", "julia", "kotlin"],
  ...["node", "objc", "ocaml", "php", "powershell", "python", "r", "ruby", "rust", "shell", "swift"],
];

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => theme.get() === "dark" || (theme.get() === "auto" && dark.matches);

async function show(): Promise<void> {
  const [script, response] = await Promise.all([
    import(SCRIPT) as Promise<Scalar>,
    fetch("/openapi.json"),
  ]);
  const text = (await response.text()).replaceAll(EXAMPLE, location.origin);
  const description = JSON.parse(text) as Description;
  // Scalar writes each parameter with an example into its code. These are optional everywhere.
  for (const parameter of Object.values(description.components.parameters)) {
    delete parameter.example;
  }
  const reference = document.createElement("div");
  reference.id = "reference";
  document.querySelector("#introduction")!.replaceWith(reference);
  makeCodeReachable(reference);
  script.createApiReference("#reference", {
    content: description,
    darkMode: isDark(),
    forceDarkModeState: isDark() ? "dark" : "light",
    theme: "none",
    defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
    hiddenClients: Object.fromEntries(
      LANGUAGES.filter((name) => !SHOWN.has(name)).map((name) => [name, true]),
    ),
    // Nothing is loaded from other hosts, sent to them, or tried from here.
    agent: { disabled: true },
    mcp: { disabled: true },
    telemetry: false,
    withDefaultFonts: false,
    hideClientButton: true,
    hideTestRequestButton: true,
    showDeveloperTools: "never",
    documentDownloadType: "json",
    hideDarkModeToggle: true,
    hideModels: true,
  });
}

/** Let the keyboard scroll wide blocks of code, also those that Scalar shows later. */
function makeCodeReachable(root: Element): void {
  new MutationObserver(() => {
    for (const code of root.querySelectorAll<HTMLElement>("code.hljs:not([tabindex])")) {
      code.tabIndex = 0;
    }
  }).observe(root, { childList: true, subtree: true });
}

void show();
