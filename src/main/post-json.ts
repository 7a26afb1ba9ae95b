/**
 * Sends JSON to a program beside the cluster (a scheduler's extender) and reads its answer.
 *
 * @throws {Error} no answer in time, another status than 200, or no JSON.
 */
export async function postJson(url: string, body: object, timeoutMs: number): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}
