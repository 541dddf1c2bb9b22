using System.Reflection;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>Records, descriptors and the checked-in schema stay one.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class SchemaTests
{
    [Test]
    public void Text_EqualsTheCheckedInFile() => Assert.That(ConfigSchema.Text,
        Is.EqualTo(File.ReadAllText(Path.Combine(TestContext.CurrentContext.TestDirectory, "lb.schema.json"))), "renew with: lb schema > schema/lb.schema.json");

    [Test]
    public void Reference_EqualsTheCheckedInFile() => Assert.That(ConfigReference.Text, Is.EqualTo(Testing.Repository.Read("docs/configuration.md")), "renew with: lb schema --markdown > docs/configuration.md");

    [Test]
    public void Reference_EachKeyStandsInItsSectionAndEachLinkLeadsSomewhere()
    {
        string[] lines = ConfigReference.Text.Split('\n');
        string[] anchors = [.. lines.Where(line => line.StartsWith("###", StringComparison.Ordinal)).Select(line => line[4..].ToLowerInvariant())];
        string[] links = [.. System.Text.RegularExpressions.Regex.Matches(ConfigReference.Text, @"\]\(#(\w+)\)").Select(match => match.Groups[1].Value).Distinct()];
        Assert.That(links, Is.Not.Empty.And.SubsetOf(anchors));
        using JsonDocument schema = JsonDocument.Parse(ConfigSchema.Text);
        int keys = schema.RootElement.GetProperty("$defs").EnumerateObject().Select(d => d.Value).Append(schema.RootElement)
            .Where(o => o.TryGetProperty("properties", out _)).Sum(o => o.GetProperty("properties").EnumerateObject().Count());
        Assert.That(lines.Count(line => line.StartsWith("| `", StringComparison.Ordinal)), Is.EqualTo(keys));
    }

    [Test]
    public void Text_EveryPropertyHasADescription()
    {
        using JsonDocument schema = JsonDocument.Parse(ConfigSchema.Text);
        IEnumerable<JsonElement> objects = schema.RootElement.GetProperty("$defs").EnumerateObject().Select(d => d.Value).Append(schema.RootElement);
        foreach (JsonElement properties in objects.Where(o => o.TryGetProperty("properties", out _)).Select(o => o.GetProperty("properties")))
            foreach (JsonProperty property in properties.EnumerateObject())
                Assert.That(property.Value.GetProperty("description").GetString(), Is.Not.Empty, property.Name);
    }

    [Test]
    public void Specs_CoverEveryProperty()
    {
        Type[] described = [typeof(ProxyConfig), typeof(TransportConfig), typeof(ListenerConfig), typeof(ForwardedConfig), typeof(ListenerLimitsConfig), typeof(RouteConfig),
            typeof(RedirectConfig), typeof(RespondConfig), typeof(ClusterConfig), typeof(DestinationConfig), typeof(ConnectionPoolConfig),
            typeof(HealthCheckConfig), typeof(LoadProbeConfig), typeof(EjectionConfig), typeof(QueueConfig), typeof(RetryBudgetConfig), typeof(StickyConfig), typeof(HedgeConfig),
            typeof(MirrorConfig), typeof(AdminConfig), typeof(DiscoverConfig), typeof(EtcdConfig), typeof(KubernetesConfig), typeof(TlsConfig), typeof(CertificateConfig), typeof(ClientCertificateConfig), typeof(HttpsOnlyConfig), typeof(ProxyProtocolConfig), typeof(UpstreamTlsConfig), typeof(TcpConfig),
            typeof(AcmeConfig), typeof(ExternalAccountConfig), typeof(CacheConfig), typeof(CacheDiskConfig), typeof(RouteCacheConfig), typeof(AddressListConfig), typeof(AccessConfig),
            typeof(PerSourceConfig), typeof(AutoBanConfig), typeof(BlockRuleConfig), typeof(LimitConfig), typeof(ConcurrencyConfig), typeof(RedisConfig), typeof(AccessLogConfig),
            typeof(RequestIdConfig), typeof(TracingConfig), typeof(BodyLogConfig)];
        Type[] all = [.. typeof(ProxyConfig).Assembly.GetExportedTypes().Where(t => t.Namespace == typeof(ProxyConfig).Namespace && t.Name.EndsWith("Config", StringComparison.Ordinal))];
        Assert.That(described, Is.EquivalentTo(all), "every record of the configuration is compared below");
        Compare(ProxySpecs.Root);
        Compare(ProxySpecs.Transport);
        Compare(ListenerSpecs.Listener);
        Compare(ListenerSpecs.Forwarded);
        Compare(ListenerSpecs.Limits);
        Compare(RouteSpecs.Route);
        Compare(RouteSpecs.Redirect);
        Compare(RouteSpecs.Respond);
        Compare(RouteSpecs.Mirror);
        Compare(ClusterSpecs.Cluster);
        Compare(ClusterSpecs.Destination);
        Compare(ClusterSpecs.Pool);
        Compare(FleetSpecs.HealthCheck);
        Compare(FleetSpecs.LoadProbe);
        Compare(FleetSpecs.Ejection);
        Compare(FleetSpecs.Queue);
        Compare(FleetSpecs.RetryBudget);
        Compare(StickySpecs.Sticky);
        Compare(FleetSpecs.Hedge);
        Compare(ProxySpecs.Admin);
        Compare(DiscoverSpecs.Discover);
        Compare(DiscoverSpecs.Etcd);
        Compare(DiscoverSpecs.Kubernetes);
        Compare(TlsSpecs.Tls);
        Compare(TlsSpecs.Upstream);
        Compare(TlsSpecs.Certificate);
        Compare(TlsSpecs.ClientCertificates);
        Compare(TlsSpecs.HttpsOnly);
        Compare(ProxyProtocolSpecs.ProxyProtocol);
        Compare(TcpSpecs.Tcp);
        Compare(AcmeSpecs.Acme);
        Compare(LimitSpecs.Limit);
        Compare(RedisSpecs.Redis);
        Compare(AccessLogSpecs.AccessLog);
        Compare(ObservationSpecs.RequestId);
        Compare(ObservationSpecs.Tracing);
        Compare(ObservationSpecs.BodyLog);
        Compare(LimitSpecs.Concurrency);
        Compare(AcmeSpecs.ExternalAccount);
        Compare(CacheSpecs.Cache);
        Compare(CacheSpecs.Disk);
        Compare(CacheSpecs.Route);
        Compare(AccessSpecs.AddressList);
        Compare(AccessSpecs.Access);
        Compare(AccessSpecs.PerSource);
        Compare(AccessSpecs.AutoBan);
        Compare(AccessSpecs.BlockRule);
    }

    private static void Compare<T>(ObjectSpec<T> spec) where T : class
    {
        PropertyInfo[] properties = typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance);
        Assert.That(spec.Fields.Select(f => f.Name), Is.EqualTo(properties.Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name))), typeof(T).Name);
        T defaults = spec.Empty();
        foreach (PropertyInfo property in properties)
        {
            FieldSpec<T> field = spec.Fields.Single(f => f.Name == JsonNamingPolicy.CamelCase.ConvertName(property.Name));
            bool isRequired = property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null;
            // The file may ask for more than the compiler does: a cluster without the key "destinations" is one forgotten.
            if (isRequired) Assert.That(field.IsRequired, Is.True, $"{typeof(T).Name}.{property.Name} is required");
            Assert.That(field.Get(defaults), Is.EqualTo(property.GetValue(defaults)), $"{typeof(T).Name}.{property.Name} is read");

            // What the setter changes is that property and no other.
            if (Sample(property.PropertyType) is not { } sample) continue;
            T changed = field.Read(defaults, sample.Node, field.Name, new ReadContext(new ConfigText(default, "f"), [], new ConfigSources("/")));
            foreach (PropertyInfo other in properties.Where(p => p != property))
                Assert.That(other.GetValue(changed), Is.EqualTo(other.GetValue(defaults)), $"{typeof(T).Name}.{property.Name} also changes {other.Name}");
            Assert.That(property.GetValue(changed), Is.EqualTo(sample.Value), $"{typeof(T).Name}.{property.Name} is set");
        }
    }

    private static (ConfigNode Node, object Value)? Sample(Type type)
    {
        if (type == typeof(int)) return (new ConfigNode(ConfigNodeKind.Number, 0) { Text = "7777" }, 7777);
        if (type == typeof(long?)) return (new ConfigNode(ConfigNodeKind.Number, 0) { Text = "7777" }, 7777L);
        if (type == typeof(string)) return (new ConfigNode(ConfigNodeKind.String, 0) { Text = "sample" }, "sample");
        if (type == typeof(TimeSpan)) return (new ConfigNode(ConfigNodeKind.String, 0) { Text = "7777ms" }, TimeSpan.FromMilliseconds(7777));
        if (type == typeof(IReadOnlyList<string>)) return (new ConfigNode(ConfigNodeKind.String, 0) { Text = "sample" }, new[] { "sample" });
        if (type == typeof(TransportKind)) return (new ConfigNode(ConfigNodeKind.String, 0) { Text = "epoll" }, TransportKind.Epoll);
        return null; // booleans and objects: ReadTests reads them
    }
}
