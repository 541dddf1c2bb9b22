using System.Text;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.Plans;
using LoadBalancer.Translation.RoundTrips;

namespace LoadBalancer.Translation.Tests.RoundTrips;

/// <summary>Documents made by chance, for maps made by chance of rules that can be undone.</summary>
public class RandomMapTests
{
    private const int Maps = 400, DocumentsOfEach = 20;

    [Test]
    [CancelAfter(60_000)]
    public void DocumentsComeBack_AndBothEnginesAgree()
    {
        int seed = Environment.TickCount, inPlace = 0;
        for (int i = 0; i < Maps; i++)
        {
            var random = new Random(seed + i);
            bool isMoving = random.Next(2) == 0;
            string json = new RandomMap(random, isMoving).Write();
            _ = VersionMap.TryParse(Encoding.UTF8.GetBytes(json), out VersionMap? map, out IReadOnlyList<MapProblem> problems);
            Assert.That(problems, Is.Empty, $"seed {seed + i}: {json}");
            BodyPlan up = map!.ForV1Clients.Operations[0].Request!, down = map.ForV2Clients.Operations[0].Request!;
            if (up.IsInPlace) inPlace++;
            for (int n = 0; n < DocumentsOfEach; n++)
            {
                string document = SampleDocument.Make(up.Scope, random, isWhole: n == 0);
                string context = $"seed {seed + i}\n{json}\n{document}";
                RoundTripReport report = RoundTrip.Check(map, 0, BodyUse.Request, Encoding.UTF8.GetBytes(document));
                Assert.That(report.Problem, Is.Null, context);
                Assert.That(report.Differences, Is.Empty, context);
                Assert.That(TestMaps.Run(up, document, inPlace: false), JsonIs.EqualTo(report.Translated!), context);
                if (down.IsInPlace) Assert.That(TestMaps.Run(down, report.Translated!, inPlace: false), JsonIs.EqualTo(document), context);
            }
        }
        Assert.That(inPlace, Is.GreaterThan(Maps / 10), "too few maps of both kinds to say anything");
        Assert.That(inPlace, Is.LessThan(Maps * 9 / 10), "too few maps of both kinds to say anything");
    }

    /// <summary>Whatever happens to a document, it is a problem or a document: never an exception, never a document that is none.</summary>
    [Test]
    [CancelAfter(60_000)]
    public void DamagedDocuments_AreRefusedOrTranslated_NeverWorse()
    {
        int seed = Environment.TickCount;
        for (int i = 0; i < Maps / 4; i++)
        {
            var random = new Random(seed + i);
            VersionMap map = VersionMap.Parse(Encoding.UTF8.GetBytes(new RandomMap(random, isMoving: i % 2 == 0).Write()));
            BodyPlan up = map.ForV1Clients.Operations[0].Request!;
            using var translator = new DocumentTranslator();
            for (int n = 0; n < 50; n++)
            {
                byte[] document = Encoding.UTF8.GetBytes(SampleDocument.Make(up.Scope, random, isWhole: true));
                for (int damage = random.Next(1, 4); damage > 0; damage--) document[random.Next(document.Length)] = (byte)"{}[]\":,0a\\\u0080-"[random.Next(12)];
                TranslationProblem? problem = translator.Translate(up, document, TranslationLimits.Default);
                if (problem is not null) continue;
                byte[] output = translator.Output.Written.ToArray();
                Assert.That(() => System.Text.Json.JsonDocument.Parse(output).Dispose(), Throws.Nothing, $"seed {seed + i}: {Encoding.UTF8.GetString(document)} became {Encoding.UTF8.GetString(output)}");
            }
        }
    }

    /// <summary>A map of rules that do not clash: names of each side are used once, in an order of chance.</summary>
    private sealed class RandomMap(Random random, bool isMoving)
    {
        private int _name;

        internal string Write() => $"{{\"routes\":[{{\"v1\":\"POST /a\",\"v2\":\"POST /b\",\"request\":{{\"fields\":[{string.Join(',', Fields("", "", 0))}]}}}}],\"types\":{{\"T\":[\"t1 <-> t2\",{{\"path\":\"t3[]\",\"type\":\"T\"}}]}}}}";

        private List<string> Fields(string v1, string v2, int depth)
        {
            var rules = new List<string>();
            for (int count = random.Next(1, 6); count > 0; count--)
            {
                string a = v1 + Name("a"), b = v2 + (random.Next(3) == 0 ? a[v1.Length..] : Name("b"));
                if (isMoving && random.Next(3) == 0) b = v2 + $"{Name("o")}.{b[v2.Length..]}";
                if (isMoving && random.Next(6) == 0) a = v1 + $"{Name("p")}.{a[v1.Length..]}";
                rules.AddRange(Rule(a, b, v2, depth));
            }
            return rules;
        }

        private IEnumerable<string> Rule(string a, string b, string v2, int depth)
        {
            switch (random.Next(depth > 2 ? 11 : 15))
            {
                case 0: return [$"{{\"v1\":\"{a}\",\"v2\":\"{b}\",\"convert\":{{\"v1\":\"number\",\"v2\":\"string\"}}}}"];
                case 1: return [$"{{\"v1\":\"{a}\",\"v2\":\"{b}\",\"convert\":{{\"enum\":{{\"on\":\"ON\",\"off\":0,\"\":null}}}}}}"];
                case 2: return [$"{{\"v1\":\"{a}\",\"v2\":\"{b}\",\"convert\":{{\"v1\":\"unix-seconds\",\"v2\":\"rfc3339\"}}}}"];
                case 3: return [$"{{\"v1\":\"{a}\",\"v2\":\"{b}\",\"convert\":{{\"v1\":\"rfc3339\",\"v2\":\"unix-milliseconds\"}}}}"];
                case 4: return [$"{{\"v1\":\"{a}\",\"v2\":\"{b}\",\"convert\":{{\"factor\":0.01,\"places\":{{\"v2\":2}}}}}}"];
                case 5: return [$"{{\"v1\":\"{a}\",\"v2\":\"{b}\",\"convert\":{{\"v1\":\"boolean\",\"v2\":\"number\"}}}}"];
                case 6: return [$"{{\"v1\":\"{a}\",\"v2\":\"{b}\",\"convert\":{{\"v1\":\"single\",\"v2\":\"list\"}}}}"];
                case 7: return [$"{{\"v2\":\"{b}\",\"constant\":{{\"c\":[1]}}}}"];
                case 8: return [$"{{\"v1\":\"{a}\",\"v2\":[\"{b}\",\"{v2}{Name("s")}\"],\"separator\":\"{(random.Next(2) == 0 ? " " : "::")}\"}}"];
                case 9 when isMoving: return [$"{{\"v1\":[\"{a}\",\"{a}x\"],\"v2\":\"{b}\",\"separator\":\"/\"}}"];
                case 10: return [$"{{\"v1\":\"{a}\",\"v2\":\"{b}\",\"type\":\"T\"}}"];
                case 11: return [$"\"{a}[] <-> {b}[]\"", .. Fields($"{a}[].", $"{b}[].", depth + 1)];
                case 12: return [$"\"{a}.* <-> {b}.*\"", .. Fields($"{a}.*.", $"{b}.*.", depth + 1)];
                case 13: return [$"\"{a} <-> {b}\"", $"\"{a}.{Name("c")} <-> {b}.{Name("c")}\"", .. Fields($"{a}.", $"{b}.", depth + 1)];
                default: return [$"\"{a} <-> {b}\""];
            }
        }

        private string Name(string prefix) => $"{prefix}{_name++}";
    }
}
