/** A button that opens the system's file dialog. */

import { useRef } from "preact/hooks";
import { Button } from "./Button";
import type { IconName } from "./Icon";

export function FileButton({
  label,
  icon,
  accept,
  multiple,
  onFiles,
}: {
  label: string;
  icon: IconName;
  accept?: string;
  multiple?: boolean;
  onFiles: (files: File[]) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button small icon={icon} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={label}
        accept={accept}
        multiple={multiple}
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = ""; // allow choosing the same file again
        }}
      />
    </>
  );
}
