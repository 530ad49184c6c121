/// Sizes as people write them: `65536`, `64KiB`, `1MiB`.
enum ByteCount {
    static func parse(_ text: String) -> Int? {
        for (name, size) in units where text.hasSuffix(name) {
            guard let count = Int(text.dropLast(name.count)), count >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            return overflow ? nil : product
        }
        guard let count = Int(text), count >= 0 else { return nil }
        return count
    }

    static func render(_ count: Int) -> String {
        for (name, size) in units where count > 0 && count % size == 0 {
            return "\(count / size)\(name)"
        }
        return String(count)
    }

    private static let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1024)]
}
