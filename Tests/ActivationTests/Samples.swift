import BelfryActivation
import BelfryCore

/// Friday 2026-11-20, 10:00:00 in Shanghai.
let friday = Timestamp(milliseconds: 1_795_140_000_000)
let planner = FlowPlanner(account: FlowAccount(key: "shop", name: "小店"))

func published(_ yaml: String, version: Int = 1, insiders: InsiderPolicy = .pinned) throws
    -> PublishedFlow
{
    PublishedFlow(flow: try FlowYAML.parse(yaml).flow, version: version, insiders: insiders)
}

func followed(_ time: Timestamp = friday, scene: String? = nil) -> FlowEvent {
    FlowEvent(.follow(scene: scene), at: time)
}

func wrote(_ text: String, _ time: Timestamp) -> FlowEvent {
    FlowEvent(.message(text: text, isMenuTap: false), at: time)
}

let hello = """
    key: hello
    trigger: follow
    steps:
      - id: greeting
        after: 5s
        text: 你好 {{nickname|朋友}}
    """
