import { tapCampaign } from './run/tap-campaign.ts'
import { openDns } from './targets/dns.ts'

tapCampaign(openDns, 4)
