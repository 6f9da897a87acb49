/** Tables, which become a list of cards where the screen is narrow. */

import type { ComponentChildren } from "preact";

interface Column<Row> {
  /** What stands above it, and beside each value on a narrow screen. */
  title: string;
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand at the right. */
  kind?: "number" | "actions";
}

export function Table<Row>({
  caption,
  columns,
  rows,
  id,
}: {
  /** What the table shows, for screen readers. */
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
