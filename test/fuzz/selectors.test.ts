import { tapCampaign } from './run/tap-campaign.ts'
import { openSelectors } from './targets/selectors.ts'

tapCampaign(openSelectors, 3)
