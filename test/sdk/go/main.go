// Drives the generated Go client: see ../clients.sdk-spec.ts.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	claviger "claviger.example/sdk/go"
)

func clientFor(token string) *claviger.APIClient {
	configuration := claviger.NewConfiguration()
	configuration.Servers = claviger.ServerConfigurations{{URL: os.Getenv("CLAVIGER_URL")}}
	if token != "" {
		configuration.AddDefaultHeader("Authorization", "Bearer "+token)
	}
	return claviger.NewAPIClient(configuration)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx := context.Background()
	login, _, err := clientFor("").SessionsAPI.SessionsCreate(ctx).
		LoginInput(*claviger.NewLoginInput(os.Getenv("CLAVIGER_PASSWORD"), os.Getenv("CLAVIGER_EMAIL"))).Execute()
	must(err)
	person := clientFor(login.GetToken())
	organization := login.Organizations[0].Id

	created, _, err := person.ServiceAccountsAPI.ServiceAccountsCreate(ctx, organization).
		IdempotencyKey("go-" + os.Getenv("CLAVIGER_RUN")).
		ServiceAccountCreateInput(*claviger.NewServiceAccountCreateInput("Driven by Go", "auditor")).Execute()
	must(err)
	account := created.ServiceAccount.Id

	machine := clientFor(*created.Key.Token.Get())
	me, _, err := machine.MeAPI.MeGet(ctx).Execute()
	must(err)
	events, _, err := machine.AuditTrailAPI.AuditEventsList(ctx, organization).Actor(account).Execute()
	must(err)

	overlap := claviger.NewKeyRotateInput()
	overlap.SetOverlapSeconds(3600)
	rotated, _, err := person.KeysAPI.KeysRotate(ctx, organization, account, created.Key.Id).
		KeyRotateInput(*overlap).Execute()
	must(err)
	successor := clientFor(*rotated.Token.Get())
	for _, client := range []*claviger.APIClient{machine, successor} {
		_, _, err = client.MeAPI.MeGet(ctx).Execute()
		must(err)
	}

	afterRevocation := []int{}
	for key, client := range map[string]*claviger.APIClient{created.Key.Id: machine, rotated.Id: successor} {
		_, err = person.KeysAPI.KeysRevoke(ctx, organization, account, key).Execute()
		must(err)
		_, refusal, err := client.MeAPI.MeGet(ctx).Execute()
		if err == nil {
			log.Fatal("a revoked key was let in")
		}
		afterRevocation = append(afterRevocation, refusal.StatusCode)
	}
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"account":         account,
		"name":            me.ServiceAccountMe.Name,
		"events":          len(events.Data),
		"rotatedFromFirst": *rotated.RotatedFromId.Get() == created.Key.Id,
		"afterRevocation": afterRevocation,
	}))
}
