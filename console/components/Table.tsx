/** Tables; on narrow screens each row becomes a card. */

import type { ComponentChildren } from "preact";

export interface Column<Row> {
  /** The header; on narrow screens the label of each value. */
  title: string;
  cell: (row: Row) => ComponentChildren;
  /** Numbers are aligned right. */
  kind?: "number" | "actions";
}

export function Table<Row>({
  caption,
  columns,
  rows,
  id,
}: {
  /** The accessible name. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string | number;
}) {
  return (
    <div class="table-frame">
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, kind }) => (
              <th key={title} scope="col" class={kind}>
                {kind === "actions" ? <span class="hidden">{title}</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map(({ title, cell, kind }) => (
                <td key={title} class={kind} data-title={title}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
