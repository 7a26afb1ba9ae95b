/** Resolves when all that waits for the event loop has had its turn: between two stages of work that takes long. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
