/** Data from the API: a placeholder while it loads, and the error if loading fails. */

import type { ComponentChildren } from "preact";
import type { Loaded } from "../api/use";
import { Skeleton } from "./Empty";
import { ProblemNotice } from "./Notice";

export function Loader<T>({
  from: { data, problem, reload },
  children,
}: {
  from: Loaded<T>;
  children: (data: T) => ComponentChildren;
}) {
  return (
    <>
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      {!data && !problem && <Skeleton lines={6} />}
      {data && children(data)}
    </>
  );
}
