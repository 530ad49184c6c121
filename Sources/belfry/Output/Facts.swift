import BelfryClient

/// The members of one object, one a line, those that are absent left out.
struct Facts {
    private let object: JSON
    private let names: [String]

    init(_ object: JSON, _ names: [String]) {
        self.object = object
        self.names = names
    }

    func print() {
        let shown = names.filter { !object[$0].cell.isEmpty }
        let width = shown.map(\.count).max() ?? 0
        for name in shown {
            let label = name.replacing("_", with: " ")
            let gap = String(repeating: " ", count: width - name.count + 2)
            Swift.print(label + gap + TextWidth.printable(object[name].cell))
        }
    }
}
