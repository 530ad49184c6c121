import BelfryActivation
import BelfryCore
import Benchmark

/// What one follow and one due step cost the planner, without any I/O.
func flowBenchmarks() {
    let yaml = """
        key: welcome
        trigger: follow
        quiet_hours: { from: "22:00", to: "08:00" }
        steps:
          - id: hello
            after: 5s
            text: 你好 {{nickname|朋友}}
            quiet_hours: ignore
          - id: offer
            after_message: 2h
            text: 优惠券 https://example.com/coupon
        """
    let now = Timestamp.seconds(1_800_000_000)
    let planner = FlowPlanner(account: FlowAccount(key: "shop"))
    let person = FlowPerson(id: "oBenchmark")
    let event = FlowEvent(.follow(scene: nil), at: now)
    Benchmark("flow: read YAML") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(try FlowYAML.parse(yaml)) }
    }
    Benchmark("flow: plan a follow") { benchmark in
        let flow = PublishedFlow(flow: try FlowYAML.parse(yaml).flow, version: 1)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            blackHole(try planner.start(flow, person: person, event: event, now: now))
        }
    }
}
