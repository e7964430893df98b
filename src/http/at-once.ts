/**
 * What is made of a value: at once where the value is there, else when it comes. For the way that every request takes, where a
 * promise would cost more than what it stands for.
 */
export function whenThere<T, R>(
  value: T | Promise<T>,
  make: (value: T) => R | Promise<R>,
): R | Promise<R> {
  return value instanceof Promise ? value.then(make) : make(value);
}
