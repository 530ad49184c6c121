import BelfryCore
import Yams

extension SourceReader {
    /// `follow`, or `follow: {scene: spring-*}`.
    mutating func trigger(_ node: Node, _ path: String) -> FlowTrigger? {
        let kinds = ["follow", "message", "menu", "scan", "api"]
        if case .scalar = node {
            switch word(node, path, kinds) {
            case "follow": return .follow(scenes: [])
            case "message": return .message(keywords: [], match: .exact)
            case "scan": return .scan(scenes: [])
            case "api": return .api
            case "menu":
                report(node, path, "'menu' needs the key of the button: menu: KEY")
                return nil
            default: return nil
            }
        }
        let members = members(node, path, known: kinds)
        guard case .mapping = node else { return nil }
        guard members.count == 1, let (kind, value) = members.first else {
            if !members.isEmpty { report(node, path, "has to name one trigger") }
            return nil
        }
        let place = "\(path).\(kind)"
        switch kind {
        case "follow": return .follow(scenes: scenes(value, place))
        case "scan": return .scan(scenes: scenes(value, place))
        case "message": return messageTrigger(value, place)
        case "menu": return text(value, place, limit: 128).map { .menu(key: $0) }
        default:
            report(value, place, "takes nothing more: trigger: api")
            return nil
        }
    }

    private mutating func scenes(_ node: Node, _ path: String) -> [ScenePattern] {
        let members = members(node, path, known: ["scene"])
        return members["scene"].map { scenePatterns($0, "\(path).scene") } ?? []
    }

    mutating func scenePatterns(_ node: Node, _ path: String) -> [ScenePattern] {
        texts(node, path, limit: FlowLimits.keywords).map { text in
            if text.dropLast().contains("*") {
                report(node, path, "'*' may only stand at the end of a scene")
            }
            // Scene strings have 1 to 64 characters; a longer one never comes.
            if text.count > 65 { report(node, path, "a scene has at most 64 characters") }
            return ScenePattern(text)
        }
    }

    private mutating func messageTrigger(_ node: Node, _ path: String) -> FlowTrigger? {
        let members = members(node, path, known: ["keyword", "match"])
        guard case .mapping = node else { return nil }
        let keywords = members["keyword"].map {
            texts($0, "\(path).keyword", limit: FlowLimits.keywords)
        }
        let match = members["match"].flatMap { choice($0, "\(path).match", KeywordMatch.self) }
        if keywords == nil {
            report(node, path, "'keyword' is missing; for any message write trigger: message")
        }
        return .message(keywords: keywords ?? [], match: match ?? .exact)
    }

    /// `only_if` of a flow or a step.
    mutating func conditions(_ node: Node, _ path: String, isEntry: Bool) -> FlowConditions {
        let known = ["tag", "not_tag", "scene"] + (isEntry ? [] : ["answered"])
        let members = members(node, path, known: known)
        var conditions = FlowConditions()
        if let node = members["tag"] {
            conditions.tags = texts(node, "\(path).tag", limit: FlowLimits.keywords)
        }
        if let node = members["not_tag"] {
            conditions.withoutTags = texts(node, "\(path).not_tag", limit: FlowLimits.keywords)
        }
        if let node = members["scene"] {
            conditions.scenes = scenePatterns(node, "\(path).scene")
        }
        if let node = members["answered"] {
            conditions.answered = flag(node, "\(path).answered")
        }
        return conditions
    }
}
