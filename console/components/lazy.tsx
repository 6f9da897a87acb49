/** Screens whose code is loaded when they are first shown. */

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "../texts";
import { Button } from "./Button";
import { Skeleton } from "./Empty";
import { Notice } from "./Notice";
import { Page } from "./Page";

/** @param load imports the component. */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [hasFailed, setHasFailed] = useState(false);
    const [, setIsLoaded] = useState(loaded !== undefined);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (component) => {
          loaded = component;
          setIsLoaded(true);
        },
        () => setHasFailed(true),
      );
    }, []);
    if (hasFailed) return <NotLoaded />;
    const Loaded = loaded;
    return Loaded ? <Loaded {...props} /> : <Skeleton />;
  };
}

/** A browser does not request a failed module again, so the person reloads the whole console. */
function NotLoaded() {
  const { notLoaded, notLoadedText, reload } = useTexts().problems;
  return (
    <Page title={notLoaded}>
      <Notice kind="bad">
        <p>{notLoadedText}</p>
        <Button small icon="refresh" onClick={() => location.reload()}>
          {reload}
        </Button>
      </Notice>
    </Page>
  );
}
