/** The root component: loads the site settings and selects the screen of the route. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./api/client";
import { Frame } from "./components/Frame";
import { Empty, Skeleton } from "./components/Empty";
import { ProblemNotice } from "./components/Notice";
import { Page } from "./components/Page";
import { Toasts } from "./components/Toasts";
import { Administration } from "./screens/Administration";
import Compose from "./screens/Compose";
import Message from "./screens/Message";
import { Password } from "./screens/Password";
import Sent from "./screens/Sent";
import { SiteGate } from "./screens/SiteGate";
import { Start } from "./screens/Start";
import { Usage } from "./screens/Usage";
import { Webhooks } from "./screens/Webhooks";
import { here, replace, route } from "./state/route";
import { rejections, session, signOuts } from "./state/session";
import { isSecretShown } from "./state/shown_once";
import { loadSite, site } from "./state/site";
import { useStore } from "./state/store";
import { toast } from "./state/toasts";
import { useTexts } from "./texts";

export function App() {
  const t = useTexts();
  const settings = useStore(site);
  const [problem, setProblem] = useState<Problem>();
  const load = () => {
    setProblem(undefined);
    loadSite().catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    });
  };
  useEffect(load, []);
  const rejectionsSeen = useStore(rejections);
  useEffect(() => {
    if (rejectionsSeen) toast(t.problems.signedOut, "bad");
  }, [rejectionsSeen]);
  return (
    <>
      <Frame>
        {settings ? (
          <SiteGate>
            <Screen />
          </SiteGate>
        ) : problem ? (
          <Page title={t.problems.noSite}>
            <ProblemNotice problem={problem} retry={load} />
          </Page>
        ) : (
          <Skeleton />
        )}
      </Frame>
      <Toasts />
    </>
  );
}

/** The screens that need a signed-in address. */
const OWNED: Record<string, (id: string, address: string) => ComponentChildren> = {
  compose: (_, address) => <Compose key={address} address={address} />,
  sent: (id) => (id ? <Message key={id} id={id} /> : <Sent />),
  password: () => <Password />,
  webhooks: (id) => <Webhooks key={id} base="/webhooks" id={id} />,
  usage: () => <Usage />,
};

function Screen() {
  const t = useTexts();
  const [name = "", id = ""] = useStore(route).path;
  const { address } = useStore(session);
  const signOutsSeen = useStore(signOuts);
  const handled = useRef(signOutsSeen);
  const isSignedIn = address !== undefined;
  const mustStay = useStore(isSecretShown);
  const owned = Object.hasOwn(OWNED, name) ? OWNED[name] : undefined;
  useEffect(() => {
    if (name === "") replace(isSignedIn ? "/compose" : "/start");
    else if (owned && !isSignedIn && !mustStay) {
      // Somebody else may sign in after a person has signed out.
      const hasSignedOut = handled.current !== signOutsSeen;
      handled.current = signOutsSeen;
      replace("/start", hasSignedOut ? {} : { to: here() });
    }
  }, [name, isSignedIn, mustStay]);
  if (name === "admin") return <Administration />;
  if (name === "start") return <Start key={signOutsSeen} />;
  if (owned) return isSignedIn || mustStay ? <>{owned(id, address ?? "")}</> : null;
  if (name === "") return null;
  return (
    <Page title={t.problems.notFound}>
      <Empty icon="search" title={t.problems.notFound}>
        <p>{t.problems.notFoundText}</p>
      </Empty>
    </Page>
  );
}
