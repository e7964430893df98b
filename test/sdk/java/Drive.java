import dev.claviger.client.ApiClient;
import dev.claviger.client.ApiException;
import dev.claviger.client.api.AuditTrailApi;
import dev.claviger.client.api.KeysApi;
import dev.claviger.client.api.MeApi;
import dev.claviger.client.api.ServiceAccountsApi;
import dev.claviger.client.api.SessionsApi;
import dev.claviger.client.model.KeyRotateInput;
import dev.claviger.client.model.LoginInput;
import dev.claviger.client.model.ServiceAccountCreateInput;

/** Drives the generated Java client: see ../clients.sdk-spec.ts. */
public class Drive {
  static ApiClient clientFor(String token) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(System.getenv("CLAVIGER_URL"));
    if (token != null) {
      client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
    }
    return client;
  }

  public static void main(String[] arguments) throws ApiException {
    var login =
        new SessionsApi(clientFor(null))
            .sessionsCreate(
                new LoginInput()
                    .email(System.getenv("CLAVIGER_EMAIL"))
                    .password(System.getenv("CLAVIGER_PASSWORD")));
    var person = clientFor(login.getToken());
    var organization = login.getOrganizations().get(0).getId();

    var created =
        new ServiceAccountsApi(person)
            .serviceAccountsCreate(
                organization,
                new ServiceAccountCreateInput().name("Driven by Java").role("auditor"),
                "java-" + System.getenv("CLAVIGER_RUN"));
    var account = created.getServiceAccount().getId();

    var machine = clientFor(created.getKey().getToken());
    var me = new MeApi(machine).meGet().getServiceAccountMe();
    var events =
        new AuditTrailApi(machine)
            .auditEventsList(
                organization, null, null, null, null, account, null, null, null, null, null, null);

    var first = created.getKey().getId();
    var keys = new KeysApi(person);
    var rotated =
        keys.keysRotate(
            organization, account, first, null, null, new KeyRotateInput().overlapSeconds(3600));
    var successor = clientFor(rotated.getToken());
    new MeApi(machine).meGet();
    new MeApi(successor).meGet();

    keys.keysRevoke(organization, account, first, null);
    int firstAfter = statusOfMe(machine);
    keys.keysRevoke(organization, account, rotated.getId(), null);
    int successorAfter = statusOfMe(successor);
    System.out.printf(
        "{\"account\":\"%s\",\"name\":\"%s\",\"events\":%d,\"rotatedFromFirst\":%b,\"afterRevocation\":[%d,%d]}%n",
        account,
        me.getName(),
        events.getData().size(),
        first.equals(rotated.getRotatedFromId()),
        firstAfter,
        successorAfter);
  }

  static int statusOfMe(ApiClient client) {
    try {
      new MeApi(client).meGet();
      return 200;
    } catch (ApiException refusal) {
      return refusal.getCode();
    }
  }
}
