/** The choice of the messages that a list shows, by what became of them. */

import { PROBLEMS, type DeliveryKind } from "../api/types";
import { useTexts } from "../texts";
import { SelectField } from "./Field";

/** The filter in the route's parameter `delivery`. An unknown value counts as none. */
export function filterOf(value: string | null | undefined): DeliveryKind | "" {
  return PROBLEMS.find((kind) => kind === value) ?? "";
}

export function DeliveryFilter({
  value,
  onValue,
}: {
  value: DeliveryKind | "";
  onValue: (value: string) => void;
}) {
  const t = useTexts().sent;
  return (
    <SelectField
      label={t.filter}
      value={value}
      options={[
        ["", t.filterAll],
        ...PROBLEMS.map((kind) => [kind, t.delivery[kind]] as const),
      ]}
      onValue={onValue}
    />
  );
}
