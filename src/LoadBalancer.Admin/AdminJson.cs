using System.Text.Json.Serialization;
using LoadBalancer.Admin.Dashboard;
using LoadBalancer.Admin.Endpoints;
using LoadBalancer.Core;

namespace LoadBalancer.Admin;

/// <summary>How answers are written, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(StatusEntry))]
[JsonSerializable(typeof(ReloadAnswer))]
[JsonSerializable(typeof(UpgradeAnswer))]
[JsonSerializable(typeof(ClusterList))]
[JsonSerializable(typeof(DestinationEntry))]
[JsonSerializable(typeof(DestinationList))]
[JsonSerializable(typeof(RegistrationEntry))]
[JsonSerializable(typeof(CertificateList))]
[JsonSerializable(typeof(CacheList))]
[JsonSerializable(typeof(PurgeRequest))]
[JsonSerializable(typeof(PurgeResult))]
[JsonSerializable(typeof(ExplainRequest))]
[JsonSerializable(typeof(CacheExplanation))]
[JsonSerializable(typeof(BanList))]
[JsonSerializable(typeof(BanEntry))]
[JsonSerializable(typeof(LimitList))]
[JsonSerializable(typeof(LimitEntry))]
[JsonSerializable(typeof(EventList))]
[JsonSerializable(typeof(EventEntry))]
[JsonSerializable(typeof(ServerEntry))]
[JsonSerializable(typeof(ConnectionEntries))]
[JsonSerializable(typeof(ExplanationEntry))]
[JsonSerializable(typeof(DashboardEntry))]
internal sealed partial class AdminJson : JsonSerializerContext;
