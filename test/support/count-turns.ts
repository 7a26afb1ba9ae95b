/** What a task gives, and how many turns of the event loop went by meanwhile. */
export async function countTurns<T>(
  task: () => Promise<T>,
): Promise<{ readonly result: T; readonly turns: number }> {
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const result = await task();
  isDone = true;
  return { result, turns };
}
