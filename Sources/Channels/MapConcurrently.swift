extension Array where Element: Sendable {
    /// Transforms all elements, at most `limit` at the same time.
    ///
    /// - Returns: the results in the order of the elements.
    func mapConcurrently<Result: Sendable>(
        limit: Int,
        _ transform: @escaping @Sendable (Element) async -> Result
    ) async -> [Result] {
        await withTaskGroup(of: (Int, Result).self) { group in
            var results = [Result?](repeating: nil, count: count)
            for (index, element) in enumerated() {
                // One must end before the next begins once the limit is reached.
                if index >= limit, let (done, result) = await group.next() {
                    results[done] = result
                }
                group.addTask { (index, await transform(element)) }
            }
            for await (done, result) in group { results[done] = result }
            return results.compactMap(\.self)
        }
    }
}
