export const encodeContinue = (revision: number, startKey: string): string =>
  Buffer.from(
    JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${startKey}\u0000` }),
  ).toString("base64url");
export const decodeContinue = (token: string): { revision: number; startKey: string } => {
  const { rv, start } = JSON.parse(Buffer.from(token, "base64url").toString()) as {
    rv: number;
    start: string;
  };
  return { revision: rv, startKey: start.slice(0, -1) };
};
