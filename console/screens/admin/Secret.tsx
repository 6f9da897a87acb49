/** A password or credential that the administrator gives to the owner. */

import { Code } from "../../components/Copy";

export function Secret({ label, text }: { label: string; text: string }) {
  return (
    <div class="handed">
      <h3>{label}</h3>
      <Code label={label} text={text} />
    </div>
  );
}
