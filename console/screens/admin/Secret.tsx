/** What an administrator hands over: a password or a credential. */

import { Code } from "../../components/Copy";

export function Secret({ label, text }: { label: string; text: string }) {
  return (
    <div class="handed">
      <h3>{label}</h3>
      <Code label={label} text={text} />
    </div>
  );
}
